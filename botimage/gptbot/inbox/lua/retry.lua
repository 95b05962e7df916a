-- Put a turn off and keep its messages. KEYS: runnable, owner, later, turn. ARGV: group, entry, conversation, token,
-- delay (ms), attempts to add, turn's TTL (ms). Delay 0: runnable again at once. 0: the turn was lost.
if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] then
  return 0
end
redis.call('HINCRBY', KEYS[4], 'attempts', ARGV[6])
redis.call('PEXPIRE', KEYS[4], ARGV[7])
redis.call('HDEL', KEYS[2], ARGV[3])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
if tonumber(ARGV[5]) == 0 then
  redis.call('XADD', KEYS[1], '*', 'c', ARGV[3])
else
  local now = redis.call('TIME')
  redis.call('ZADD', KEYS[3], now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[5], ARGV[3])
end
return 1
