-- Note what the turn did, if it is still this worker's. KEYS: owner, turn. ARGV: conversation, token, TTL (ms),
-- then fields and values. 0: the turn was lost.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
if #ARGV > 3 then
  redis.call('HSET', KEYS[2], unpack(ARGV, 4))
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return 1
