-- Take a platform's message in, once. KEYS: runnable, line, waiting, seen, mail.
-- ARGV: group, conversation, seen's TTL (ms), envelope, user.
if not redis.call('SET', KEYS[4], '1', 'NX', 'PX', ARGV[3]) then
  return 0
end
if redis.call('RPUSH', KEYS[5], ARGV[4]) == 1 then
  join(ARGV[2], ARGV[5])
end
return 1
