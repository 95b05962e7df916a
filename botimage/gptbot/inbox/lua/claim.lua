-- Make an entry delivered to this worker its turn. KEYS: runnable, owner, mail, ctx, turn, set.
-- ARGV: group, consumer, entry, conversation, most messages. False: it is somebody else's, or there is nothing to do.
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
if #pending == 0 or pending[1][2] ~= ARGV[2] then
  return false
end
local mail = redis.call('LRANGE', KEYS[3], 0, tonumber(ARGV[5]) - 1)
if #mail == 0 then
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
  redis.call('XDEL', KEYS[1], ARGV[3])
  redis.call('HDEL', KEYS[2], ARGV[4])
  return false
end
local token = redis.call('HINCRBY', KEYS[2], '#', 1)
redis.call('HSET', KEYS[2], ARGV[4], token)
return {token, mail, redis.call('LRANGE', KEYS[4], 0, -1), redis.call('HGETALL', KEYS[5]), redis.call('HGETALL', KEYS[6])}
