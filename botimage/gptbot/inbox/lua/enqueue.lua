-- Take a platform's message in, once. KEYS: seen, mail, runnable. ARGV: seen's TTL (ms), envelope, conversation.
if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then
  return 0
end
if redis.call('RPUSH', KEYS[2], ARGV[2]) == 1 then
  redis.call('XADD', KEYS[3], '*', 'c', ARGV[3])
end
return 1
