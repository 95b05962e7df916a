-- May one more message come in? All limits in one step, by the store's clock; a message is counted only if all let it in.
-- KEYS: times of the last messages of the user, of the chat, of the bot; accounts of the bot, of the user; the user's
-- floods; seen; told the user, the chat, of the bot, of the day's use, of the user's.
-- ARGV: messages and window (ms) of user, chat and bot; tokens a day, the same of a user (0: any); floods before a pause
-- (0: no pauses), first pause, longest (ms); cost a day, the same of a user (millionths, 0: any).
-- Returns {limit ('' lets it in), ms until it lets in again, 1 if this is to be told}.
if redis.call('EXISTS', KEYS[7]) == 1 then -- delivered a second time: the mailbox drops it, so it costs nothing
  return {'', 0, 0}
end
local muted = whole(redis.call('HGET', KEYS[6], 'until'))
if muted > now and muted <= now + math.max(ARGV[10], ARGV[11]) then
  return {'mute', muted - now, 0}
end

local function tell(told, window)
  if redis.call('PTTL', told) == -1 then
    redis.call('DEL', told) -- every such mark has an end
  end
  return redis.call('SET', told, '1', 'NX', 'PX', window) and 1 or 0
end

-- The first refusal of a window is a flood; from so many on, each is answered with a pause twice as long as the last.
local function flood()
  local after, first, longest = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
  if after == 0 then
    return 0
  end
  local floods = count_of(redis.call('HGET', KEYS[6], 'floods')) + 1
  redis.call('HSET', KEYS[6], 'floods', floods)
  local pause = 0
  if floods >= after then
    pause = math.min(first * 2 ^ math.min(floods - after, 30), math.max(first, longest))
    redis.call('HSET', KEYS[6], 'until', string.format('%.0f', now + pause))
  end
  redis.call('PEXPIRE', KEYS[6], string.format('%.0f', pause + longest + ARGV[2]))
  return pause
end

-- The list holds the times of the last messages let in, newest first: the window is full when the oldest is still in it.
local limits = {'user', 'chat', 'bot'}
for index, limit in ipairs(limits) do
  local messages, window = tonumber(ARGV[2 * index - 1]), tonumber(ARGV[2 * index])
  local oldest = messages > 0 and oldest_in(KEYS[index], messages - 1, 0)
  local wait = oldest and oldest + window - now or 0
  if wait > 0 then
    local told = tell(KEYS[7 + index], window)
    local pause = limit == 'user' and told == 1 and flood() or 0
    if pause > 0 then
      return {'mute', pause, 1}
    end
    return {limit, wait, told}
  end
end

for index, whose in ipairs({'', 'user-'}) do
  local tokens, cost = used(KEYS[3 + index])
  local most, dearest = whole(ARGV[6 + index]), whole(ARGV[11 + index])
  local limit = most > 0 and tokens >= most and 'tokens' or dearest > 0 and cost >= dearest and 'cost'
  if limit then
    return {whose .. limit, rest, tell(KEYS[10 + index], text(rest))}
  end
end

for index in ipairs(limits) do
  local messages, window = tonumber(ARGV[2 * index - 1]), ARGV[2 * index]
  if messages > 0 then
    redis.call('LPUSH', KEYS[index], string.format('%.0f', now))
    redis.call('LTRIM', KEYS[index], 0, messages - 1)
    redis.call('PEXPIRE', KEYS[index], window)
  end
end
return {'', 0, 0}
