-- Put a turn off and keep its messages. KEYS: runnable, line, waiting, owner, turn, later, mail, aside. ARGV: group,
-- conversation, entry, token, delay (ms), attempts to add, turn's TTL (ms), part that may have been sent ('': none), then,
-- if it waits for the model, `1` where the model asked for the delay, TTL of what is answered aside (ms), and between
-- spaces the commands that ask the model. Delay 0: in line again at once. 0: the turn was lost.
redis.call('ZCARD', KEYS[6])
redis.call('LLEN', KEYS[7])
redis.call('LLEN', KEYS[8])
local delay = within(ARGV[5], 0, 10 ^ 12)
within(#(ARGV[11] or ''), 0, 1000)
if redis.call('HGET', KEYS[4], ARGV[2]) ~= ARGV[4] then
  return 0
end
local attempts = count_of(redis.call('HGET', KEYS[5], 'attempts'))
redis.call('HSET', KEYS[5], 'attempts', string.format('%.0f', attempts + ARGV[6]))
if ARGV[8] == '' then
  redis.call('HDEL', KEYS[5], 'trying')
else
  redis.call('HSET', KEYS[5], 'trying', ARGV[8])
end
local asides = 0
if ARGV[11] then
  local away = count_of(redis.call('HGET', KEYS[5], 'away'))
  redis.call('HSET', KEYS[5], 'away', string.format('%.0f', away + 1))
  if redis.call('HEXISTS', KEYS[5], 'stop') == 1 then
    delay = 0 -- somebody asked for its end meanwhile
  else
    redis.call('HSET', KEYS[5], 'due', string.format('%.0f', now + delay))
    if ARGV[9] == '1' then
      redis.call('HSET', KEYS[5], 'asked', '1')
    end
    asides = put_aside(KEYS[7], KEYS[8], ARGV[11], ARGV[10])
  end
end
redis.call('PEXPIRE', KEYS[5], ARGV[7])
redis.call('HDEL', KEYS[4], ARGV[2])
local user = leave(ARGV[2], ARGV[3])
if delay == 0 or asides > 0 then
  join(ARGV[2], user)
else
  redis.call('ZADD', KEYS[6], string.format('%.0f', now + delay), ARGV[2])
  redis.call('HSET', KEYS[2], ARGV[2], '- ' .. user)
end
return 1
