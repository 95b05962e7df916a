-- Finish a turn. KEYS: runnable, owner, mail, ctx, turn. ARGV: group, entry, conversation, token, messages answered,
-- context's TTL (ms), context's length, then the messages to add to the context. 0: the turn was lost.
if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] then
  return 0
end
redis.call('LTRIM', KEYS[3], ARGV[5], -1)
if #ARGV > 7 then
  redis.call('RPUSH', KEYS[4], unpack(ARGV, 8))
  redis.call('LTRIM', KEYS[4], -tonumber(ARGV[7]), -1)
  redis.call('PEXPIRE', KEYS[4], ARGV[6])
end
redis.call('DEL', KEYS[5])
redis.call('HDEL', KEYS[2], ARGV[3])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
if redis.call('LLEN', KEYS[3]) > 0 then
  redis.call('XADD', KEYS[1], '*', 'c', ARGV[3])
end
return 1
