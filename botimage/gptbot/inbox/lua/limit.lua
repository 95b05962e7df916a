-- May one more message come in? All limits in one step, by the store's clock; a message is counted only if all let it in.
-- KEYS: times of the user's last messages, of the chat's, tokens of the day, told the user, told the chat, told of the
-- tokens, seen. ARGV: user's messages, user's window (ms), chat's messages, chat's window (ms), tokens a day (0: any).
-- Returns {limit ('' lets it in), ms until it lets in again, 1 if nobody was told in this window}.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local day = 86400000

local function refuse(limit, told, wait, window)
  return {limit, wait, redis.call('SET', told, '1', 'NX', 'PX', window) and 1 or 0}
end

-- The list holds the times of the last messages let in, newest first: the window is full when the oldest is still in it.
local function wait_for(times, messages, window)
  local oldest = redis.call('LINDEX', times, messages - 1)
  return oldest and tonumber(oldest) + window - now or 0
end

local function count(times, messages, window)
  redis.call('LPUSH', times, string.format('%.0f', now))
  redis.call('LTRIM', times, 0, messages - 1)
  redis.call('PEXPIRE', times, window)
end

if redis.call('EXISTS', KEYS[7]) == 1 then -- delivered a second time: the mailbox drops it, so it costs nothing
  return {'', 0, 0}
end
local wait = wait_for(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]))
if wait > 0 then
  return refuse('user', KEYS[4], wait, ARGV[2])
end
wait = wait_for(KEYS[2], tonumber(ARGV[3]), tonumber(ARGV[4]))
if wait > 0 then
  return refuse('chat', KEYS[5], wait, ARGV[4])
end
local spent = redis.call('HMGET', KEYS[3], 'day', 'tokens')
if tonumber(ARGV[5]) > 0 and tonumber(spent[1]) == math.floor(now / day) and tonumber(spent[2]) >= tonumber(ARGV[5]) then
  wait = day - now % day
  return refuse('tokens', KEYS[6], wait, wait)
end
count(KEYS[1], tonumber(ARGV[1]), ARGV[2])
count(KEYS[2], tonumber(ARGV[3]), ARGV[4])
return {'', 0, 0}
