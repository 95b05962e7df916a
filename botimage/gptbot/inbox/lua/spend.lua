-- Add to the tokens spent today (UTC, by the store's clock). KEYS: tokens of the day. ARGV: tokens. Returns today's sum.
local today = math.floor(redis.call('TIME')[1] / 86400)
if tonumber(redis.call('HGET', KEYS[1], 'day')) ~= today then
  redis.call('HSET', KEYS[1], 'day', today, 'tokens', 0)
end
redis.call('EXPIRE', KEYS[1], 172800)
return redis.call('HINCRBY', KEYS[1], 'tokens', ARGV[1])
