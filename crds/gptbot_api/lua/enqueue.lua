-- Take a platform's message in, once. KEYS: runnable, line, waiting, seen, mail, the user's chats, the chat's people.
-- ARGV: group, conversation, seen's TTL (ms), envelope, user, speaker, TTL of the user's chats (ms; 0: it is none of them).
redis.call('LLEN', KEYS[5])
redis.call('ZCARD', KEYS[6])
redis.call('ZCARD', KEYS[7])
if not redis.call('SET', KEYS[4], '1', 'NX', 'PX', ARGV[3]) then
  return 0
end
if redis.call('RPUSH', KEYS[5], ARGV[4]) == 1 then
  join(ARGV[2], ARGV[5])
end
if ARGV[7] ~= '0' then
  know(KEYS[6], ARGV[2] .. ' ' .. ARGV[6], tonumber(ARGV[7]), KEYS[7], ARGV[6] ~= '' and ARGV[5] .. ' ' .. ARGV[6])
end
return 1
