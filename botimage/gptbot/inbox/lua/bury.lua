-- Give a turn up. KEYS: runnable, owner, mail, dead, turn. ARGV: group, entry, conversation, token, messages given up,
-- reason, most dead letters, TTL (ms). 0: the turn was lost.
if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] then
  return 0
end
for _ = 1, ARGV[5] do
  local message = redis.call('LPOP', KEYS[3])
  if message then
    redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*', 'c', ARGV[3], 'r', ARGV[6], 'm', message)
  end
end
-- The key lives as long as its newest letter; older ones go when their own time is over.
local now = redis.call('TIME')
redis.call('XTRIM', KEYS[4], 'MINID', string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[8]))
redis.call('PEXPIRE', KEYS[4], ARGV[8])
redis.call('DEL', KEYS[5])
redis.call('HDEL', KEYS[2], ARGV[3])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
if redis.call('LLEN', KEYS[3]) > 0 then
  redis.call('XADD', KEYS[1], '*', 'c', ARGV[3])
end
return 1
