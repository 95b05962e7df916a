-- Give a dead letter another try, behind what waits in its conversation. KEYS: dead, mail, runnable.
-- ARGV: letter, conversation. 0: there is no such letter.
local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #letter == 0 then
  return 0
end
redis.call('XDEL', KEYS[1], ARGV[1])
if redis.call('RPUSH', KEYS[2], letter[1][2][6]) == 1 then
  redis.call('XADD', KEYS[3], '*', 'c', ARGV[2])
end
return 1
