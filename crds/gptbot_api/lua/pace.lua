-- Take a place under each limit, by the store's clock. KEYS: what is there while nothing may be sent (as many as ARGV[1]),
-- then a list for each limit: the times of its last requests, newest first; those reserved are still to come.
-- ARGV: holds, 1 for an interim edit, limits passed already, longest wait (ms), then of each limit its requests, those an
-- interim edit may take, its window (ms). Returns {0, 0}, or {ms to wait, limits passed}: wait, and take the others then.
-- An interim edit reserves nothing; nor does a text that would have to wait too long.
local LONGEST_HOLD, LONGEST_WAIT = 2 * 86400000, 600000
local holds, interim, passed, most = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])

local wait = 0
for hold = 1, holds do
  local left = redis.call('PTTL', KEYS[hold])
  if left > LONGEST_HOLD then -- no platform asks for so much
    redis.call('DEL', KEYS[hold])
    left = 0
  end
  wait = math.max(wait, left)
end
if wait > 0 then
  return {wait, passed}
end

local function free_at(limit, column)
  local oldest = oldest_in(KEYS[holds + limit], ARGV[1 + 3 * limit + column] - 1, LONGEST_WAIT)
  return oldest and math.max(now, oldest + ARGV[4 + 3 * limit]) or now
end

local limits = #KEYS - holds
if interim then
  for limit = passed + 1, limits do
    wait = math.max(wait, free_at(limit, 2) - now)
  end
  if wait > 0 then
    return {wait, passed}
  end
end
for limit = passed + 1, limits do
  local slot = free_at(limit, 1)
  if slot - now > most then
    return {slot - now, limit - 1}
  end
  local times, requests, window = KEYS[holds + limit], ARGV[2 + 3 * limit], tonumber(ARGV[4 + 3 * limit])
  redis.call('LPUSH', times, string.format('%.0f', slot))
  redis.call('LTRIM', times, 0, requests - 1)
  redis.call('PEXPIRE', times, slot - now + window)
  if slot > now then
    return {slot - now, limit}
  end
end
return {0, 0}
