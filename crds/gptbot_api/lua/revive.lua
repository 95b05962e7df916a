-- Give a dead letter another try, behind what waits in its conversation. KEYS: runnable, line, waiting, dead, mail, aside.
-- ARGV: group, conversation, letter, and the message, unless it is to stay as it was. 0: there is no such letter.
redis.call('LLEN', KEYS[5])
local asides = redis.call('LLEN', KEYS[6])
local letter = redis.call('XRANGE', KEYS[4], ARGV[3], ARGV[3])
if #letter == 0 then
  return 0
end
redis.call('XDEL', KEYS[4], ARGV[3])
local message = ARGV[4] or letter[1][2][6]
if redis.call('RPUSH', KEYS[5], message) == 1 and (asides == 0 or not place_of(ARGV[2])) then
  join(ARGV[2], author(message))
end
return 1
