-- Note a message that was sent, if the turn is still this worker's. KEYS: owner, turn, and maybe last: then it is noted
-- as the conversation's last one, too. ARGV: conversation, token, TTL (ms), field, id. 0: the turn was lost.
redis.call('HLEN', KEYS[2])
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])
redis.call('HDEL', KEYS[2], 'trying')
redis.call('PEXPIRE', KEYS[2], ARGV[3])
if KEYS[3] then
  redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[3])
end
return 1
