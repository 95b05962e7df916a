-- Keep a turn. KEYS: runnable, owner. ARGV: group, consumer, entry, conversation, token. 0: it was lost.
if redis.call('HGET', KEYS[2], ARGV[4]) ~= ARGV[5] then
  return 0
end
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'JUSTID')
return 1
