-- Numbers and times of the store, which anybody who may write there can spoil; put before the functions that use it. What is
-- found wrong before anything is written is an error, after which the key is put aside and the function is run again.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Keys or arguments of a function that compares each with much: more than any caller of ours gives.
local MOST_AT_ONCE = 1000

-- A count in a field: what is none is 0, so that it begins anew.
local function count_of(text)
  return text and #text < 7 and string.find(text, '^%d+$') and tonumber(text) or 0
end

-- A stream takes entries, until one has the last id that there is (or one that only another program can have given).
local function open(stream)
  redis.call('XLEN', stream)
  local told = redis.pcall('XINFO', 'STREAM', stream)
  for index = 1, told.err and 0 or #told, 2 do
    if told[index] == 'last-generated-id' and #string.match(told[index + 1], '^%d+') > 15 then
      error('the stream is at its end')
    end
  end
end

-- A window's oldest time, or nil. One of the future was not written here: the window begins anew. `ahead`: ms by which a
-- time may be ahead of now.
local function oldest_in(times, place, ahead)
  local oldest = redis.call('LINDEX', times, place)
  if not oldest then
    return nil
  end
  local at = tonumber(oldest)
  if at and at >= 0 and at <= now + ahead then
    return at
  end
  redis.call('DEL', times)
end
