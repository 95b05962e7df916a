-- The line of conversations to answer; put before the functions that use it. A user has at most MOST conversations in it;
-- the user's others wait behind those, so that nobody is held up by one who writes everywhere at once.
-- KEYS: runnable, line, waiting. ARGV: group.
-- The hash `line` says of a conversation where it is and on whose account, `PLACE USER`: its entry in `runnable`, `=NUMBER`
-- in `waiting`, or `-` in `later`; and of a user, `@USER`, which conversations of theirs are in `runnable`.
local MOST = 4

-- A function that fails has done what came before: keys of a wrong type are found before anything is written, so that the
-- function can be run again once they are put aside. So does each function with the keys that it has besides.
open(KEYS[1])
redis.call('HLEN', KEYS[2])
redis.call('ZCARD', KEYS[3])

local function author(message)
  local readable, envelope = pcall(cjson.decode, message)
  return readable and type(envelope) == 'table' and type(envelope[3]) == 'string' and envelope[3] or ''
end

-- Nil where the conversation has no place, or none that can be read.
local function place_of(conversation)
  local place, user = string.match(redis.call('HGET', KEYS[2], conversation) or '', '^(%S+) (.*)$')
  if place and #place < 36 and (place == '-' or string.find(place, '^%d+%-%d+$') or string.find(place, '^=%d+$')) then
    return place, user
  end
end

local function next_number()
  local number = tonumber(redis.call('HGET', KEYS[2], '#')) or 0
  if number ~= math.floor(number) or math.abs(number) >= 10 ^ 15 then
    number = 0
  end
  redis.call('HSET', KEYS[2], '#', string.format('%.0f', number + 1))
  return string.format('%015.0f', number + 1)
end

-- A user's conversations in `runnable`, but for one. `sure`: those whose entries are really there.
local function in_line(user, without, sure)
  local found = {}
  local named = redis.call('HGET', KEYS[2], '@' .. user) or ''
  local looked = 0
  for conversation in string.gmatch(#named < 4096 and named or '', '%S+') do
    looked = looked + 1
    if looked > 4 * MOST then -- not written here
      break
    end
    local there = conversation ~= without
    if there and sure then
      local place = place_of(conversation)
      there = place and string.find(place, '^%d') and #redis.call('XRANGE', KEYS[1], place, place) > 0
    end
    if there then
      found[#found + 1] = conversation
    end
  end
  return found
end

local function set_in_line(user, conversations)
  if #conversations > 0 then
    redis.call('HSET', KEYS[2], '@' .. user, table.concat(conversations, ' '))
  else
    redis.call('HDEL', KEYS[2], '@' .. user)
  end
end

-- Go to the end of the line, or of those who wait for a place of their user's.
local function join(conversation, user)
  local others = in_line(user, conversation)
  if #others >= MOST and user ~= '' then
    others = in_line(user, conversation, true) -- a place lost with the stream must not be waited for
  end
  if #others >= MOST and user ~= '' then
    local number = next_number()
    redis.call('ZADD', KEYS[3], 0, user .. ' ' .. number .. ' ' .. conversation)
    redis.call('HSET', KEYS[2], conversation, '=' .. number .. ' ' .. user)
    return
  end
  local entry = redis.call('XADD', KEYS[1], '*', 'c', conversation)
  redis.call('HSET', KEYS[2], conversation, entry .. ' ' .. user)
  if user ~= '' then
    others[#others + 1] = conversation
    set_in_line(user, others)
  end
end

-- Leave the line, wherever in it; the user's next conversation gets the place. Returns on whose account it was.
local function leave(conversation, entry)
  local place, user = place_of(conversation)
  redis.call('HDEL', KEYS[2], conversation)
  if place and string.sub(place, 1, 1) == '=' then
    redis.call('ZREM', KEYS[3], user .. ' ' .. string.sub(place, 2) .. ' ' .. conversation)
  elseif place and place ~= '-' then
    entry = entry or place
  end
  if entry then
    redis.call('XACK', KEYS[1], ARGV[1], entry)
    redis.call('XDEL', KEYS[1], entry)
  end
  if not user or user == '' then
    return ''
  end
  set_in_line(user, in_line(user, conversation))
  local range = {'[' .. user .. ' ', '(' .. user .. '!'}
  local waiting = redis.call('ZRANGEBYLEX', KEYS[3], range[1], range[2], 'LIMIT', 0, 1)[1]
  if waiting and #in_line(user, conversation) < MOST then
    redis.call('ZREM', KEYS[3], waiting)
    local conversation_next = string.match(waiting, ' (%S+)$')
    if conversation_next then
      join(conversation_next, user)
    end
  end
  return user
end
