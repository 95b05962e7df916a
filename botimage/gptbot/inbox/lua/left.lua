-- What was used of the limits. KEYS: times of the last messages of the user, of the chat, of the bot (newest first);
-- tokens of the day, the same of the user. ARGV: windows (ms) of user, chat and bot.
-- Returns {messages of the user, of the chat, of the bot in their windows, tokens of the bot today, of the user}.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local used = {}
for index = 1, 3 do
  local low, high = 0, redis.call('LLEN', KEYS[index])
  while low < high do -- the first time that is out of the window
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', KEYS[index], middle)) + ARGV[index] > now then
      low = middle + 1
    else
      high = middle
    end
  end
  used[index] = low
end
for index = 4, 5 do
  local spent = redis.call('HMGET', KEYS[index], 'day', 'tokens')
  used[index] = tonumber(spent[1]) == math.floor(now / 86400000) and tonumber(spent[2]) or 0
end
return used
