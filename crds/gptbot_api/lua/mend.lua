-- mend.lua
-- Put aside what cannot be read: a key of another type than it should have, or whose numbers are none. KEYS: where it is
-- noted, then of each key itself and its name when it is put aside. ARGV: lifetime of what is put aside (ms), then of each
-- key its type, its form (numbers, owner or empty), and its name in the note (empty: it is not noted).
-- Returns the places of those that were put aside, each with the type that it had.
now = string.format('%.0f', now)

local function whole(text)
  return #text < 16 and string.find(text, '^%d+$')
end

local looked = 0

local function sound(key, wanted, form)
  if wanted == 'stream' then
    return pcall(open, key)
  elseif form == 'owner' then
    return whole(redis.call('HGET', key, '#') or '0')
  elseif form ~= 'numbers' then
    return true
  end
  if wanted == 'string' then
    return whole(redis.call('GET', key))
  end
  local list = wanted == 'list'
  local many = redis.call(list and 'LLEN' or 'HLEN', key)
  looked = looked + many
  if many > MOST_READ then
    return false -- longer than can be looked through
  elseif looked > 2 * MOST_READ then
    error('the keys hold too much for one call')
  end
  local values = list and redis.call('LRANGE', key, 0, -1) or redis.call('HGETALL', key)
  for place, value in ipairs(values) do
    if (list or place % 2 == 0) and not whole(value) then
      return false
    end
  end
  return true
end

if #KEYS > MOST_AT_ONCE then
  error('too many at once')
end
local aside = {}
for number = 1, (#KEYS - 1) / 2 do
  local key, other = KEYS[2 * number], KEYS[2 * number + 1]
  local wanted, form, name = ARGV[3 * number - 1], ARGV[3 * number], ARGV[3 * number + 1]
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and (found ~= wanted or not sound(key, wanted, form)) then
    redis.call('RENAME', key, other)
    redis.call('PEXPIRE', other, ARGV[1])
    if form == 'owner' then
      redis.call('HSET', key, '#', now) -- beyond every token that was handed out
    end
    if name ~= '' then
      if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
        redis.call('DEL', KEYS[1])
      end
      redis.call('HSET', KEYS[1], name, now)
      redis.call('PEXPIRE', KEYS[1], ARGV[1])
    end
    aside[#aside + 1] = {number, found}
  end
end
return aside
