-- Drop messages that wait for their answers. ARGV: further the beginnings of the messages. Returns how many were dropped.
if #ARGV > MOST_AT_ONCE then
  error('too many at once')
end
local beginnings, lengths = {}, {}
for number = 5, #ARGV do
  if not beginnings[ARGV[number]] then
    beginnings[ARGV[number]] = true
    lengths[#ARGV[number]] = true
  end
end
local different = {}
for length in pairs(lengths) do
  different[#different + 1] = length
end
if #different > 4 then
  error('too many lengths at once') -- events have one
end
local function is_wanted(message)
  for _, length in ipairs(different) do
    if beginnings[string.sub(message, 1, length)] then
      return true
    end
  end
  return false
end

local wanted, many = {}, 0
local mail = redis.call('LRANGE', KEYS[5], 0, MOST_READ - 1)
local size, begun = answering()
local inside = 0
for place, message in ipairs(mail) do
  if is_wanted(message) then
    wanted[place] = true
    many = many + 1
    inside = inside + (place <= size and 1 or 0)
  end
end
-- Of what is answered aside, the first is with whoever has the conversation.
local asides, past = {}, redis.call('HEXISTS', KEYS[4], ARGV[2])
for place, message in ipairs(redis.call('LRANGE', KEYS[9], 0, MOST_READ - 1)) do
  if place > past and is_wanted(message) then
    asides[#asides + 1] = place
  end
end
if many + #asides > MOST_AT_ONCE then
  error('too many at once')
end
-- An answer that is being shown, or is finished, stays if it is for other messages as well.
local kept = begun and inside < size and size or 0
local stop = tonumber(redis.call('HGET', KEYS[6], 'stop')) or 0
local stopped, dropped = stop, 0
for place = #mail, kept + 1, -1 do
  if wanted[place] then
    redis.call('LSET', KEYS[5], place - 1, '')
    dropped = dropped + 1
    stopped = stopped - (place <= stop and 1 or 0)
  end
end
for _, place in ipairs(asides) do
  redis.call('LSET', KEYS[9], place - 1, '')
end
if #asides > 0 then
  redis.call('LREM', KEYS[9], 0, '')
end
if dropped == 0 then
  return #asides
end
redis.call('LREM', KEYS[5], 0, '')
dropped = dropped + #asides
if kept == 0 and inside > 0 then
  withdraw()
end
local left = redis.call('LLEN', KEYS[5])
if left == 0 and redis.call('LLEN', KEYS[9]) > 0 then
  redis.call('UNLINK', KEYS[6]) -- what is answered aside goes on, and ends the rest
  return dropped
end
if left == 0 or (begun and kept == 0 and inside > 0) then
  redis.call('ZREM', KEYS[7], ARGV[2])
  finish() -- nothing is left of what the turn was for
  return dropped
end
if stopped == 0 then
  redis.call('HDEL', KEYS[6], 'stop')
elseif stopped < stop then
  redis.call('HSET', KEYS[6], 'stop', stopped)
end
if wanted[1] and kept == 0 then
  redis.call('HDEL', KEYS[6], 'attempts', 'away') -- they were the dropped message's
end
if kept == 0 and inside > 0 then
  join(ARGV[2], leave(ARGV[2]))
end
return dropped
