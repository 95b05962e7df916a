-- How much one call may be: put before every function. A bot's user chooses keys, arguments and what is in the keys, and
-- the store does nothing else meanwhile.
if #KEYS > 1000 or #ARGV > 4000 then
  error('too many keys or arguments')
end

-- Elements of a key that one call goes through, at most; and of all its keys, where each is gone through.
local MOST_READ = 10000

-- A whole number between two, or an error.
local function within(text, least, most)
  local number = tonumber(text)
  if not number or number ~= math.floor(number) or number < least or number > most then
    error('a number is out of bounds')
  end
  return number
end

-- `command` counts the elements of a key.
local function few(command, key, most)
  if redis.call(command, key) > most then
    error('a key holds too much for one call')
  end
end
