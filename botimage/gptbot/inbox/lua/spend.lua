-- Add to the tokens spent today (UTC, by the store's clock). KEYS: tokens of the day of the bot, then of users.
-- ARGV: tokens of each. Returns the bot's sum of today.
local now = tonumber(redis.call('TIME')[1])
local today = math.floor(now / 86400)
local sum = 0
for index = #KEYS, 1, -1 do
  if tonumber(redis.call('HGET', KEYS[index], 'day')) ~= today then
    redis.call('HSET', KEYS[index], 'day', today, 'tokens', 0)
  end
  redis.call('EXPIRE', KEYS[index], 86400 - now % 86400)
  sum = redis.call('HINCRBY', KEYS[index], 'tokens', ARGV[index])
end
return sum
