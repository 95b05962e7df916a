-- Put a turn off and keep its messages. KEYS: runnable, line, waiting, owner, turn, later. ARGV: group, conversation,
-- entry, token, delay (ms), attempts to add, turn's TTL (ms). Delay 0: in line again at once. 0: the turn was lost.
redis.call('ZCARD', KEYS[6])
if redis.call('HGET', KEYS[4], ARGV[2]) ~= ARGV[4] then
  return 0
end
local attempts = count_of(redis.call('HGET', KEYS[5], 'attempts'))
redis.call('HSET', KEYS[5], 'attempts', string.format('%.0f', attempts + ARGV[6]))
redis.call('PEXPIRE', KEYS[5], ARGV[7])
redis.call('HDEL', KEYS[4], ARGV[2])
local user = leave(ARGV[2], ARGV[3])
if tonumber(ARGV[5]) == 0 then
  join(ARGV[2], user)
else
  redis.call('ZADD', KEYS[6], string.format('%.0f', now + ARGV[5]), ARGV[2])
  redis.call('HSET', KEYS[2], ARGV[2], '- ' .. user)
end
return 1
