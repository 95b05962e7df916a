-- Keep a message of a group for `!summary`, if the group wants that. KEYS: settings, heard, words, the user's chats,
-- the chat's people. ARGV: event, when it was sent (ms), the message, TTL (ms), most messages, 1 if it is an edit, settings' TTL (ms),
-- `CONVERSATION SPEAKER`, TTL of the user's chats (ms), `USER SPEAKER`.
local SLICE = 1000 -- dropped at once; what is left goes with the next messages
if redis.call('HGET', KEYS[1], 'summary_buffer') ~= 'on' then
  return 0
end
local time = redis.call('TIME')
local oldest = tonumber(time[1]) * 1000 - tonumber(ARGV[4])
local known = redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1
if not known and (ARGV[6] == '1' or tonumber(ARGV[2]) < oldest) then
  return 0
end
if not known then
  -- Platforms may tell the time in whole seconds: of one second, what came first stays first.
  local sent = tonumber(ARGV[2])
  local newest = tonumber(redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]) or 0
  if newest >= sent and newest - sent < 2000 then
    sent = newest + 1
  end
  redis.call('ZADD', KEYS[2], string.format('%.0f', sent), ARGV[1])
end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
local function drop(events)
  for _, event in ipairs(events) do
    redis.call('ZREM', KEYS[2], event)
    redis.call('HDEL', KEYS[3], event)
  end
end
drop(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.0f', oldest), 'LIMIT', 0, SLICE))
local beyond = math.min(redis.call('ZCARD', KEYS[2]) - within(ARGV[5], 0, 1000000), SLICE)
if beyond > 0 then
  drop(redis.call('ZRANGE', KEYS[2], 0, beyond - 1))
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
know(KEYS[4], ARGV[8], tonumber(ARGV[9]), KEYS[5], ARGV[10])
redis.call('PEXPIRE', KEYS[1], ARGV[7], 'GT') -- what a group in use has chosen is not forgotten
return 1
