-- What was used of the limits. KEYS: times of the last messages of the user, of the chat, of the bot (newest first);
-- accounts of the bot, of the user. ARGV: windows (ms) of user, chat and bot.
-- Returns {messages of the user, of the chat, of the bot in their windows; tokens and cost of the bot today, of the user}.
local found = {}
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
  found[index] = low
end
for index = 4, 5 do
  local tokens, cost = used(KEYS[index])
  found[#found + 1] = text(tokens)
  found[#found + 1] = text(cost)
end
return found
