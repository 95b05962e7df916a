-- Make turns runnable whose time has come. KEYS: later, runnable. ARGV: most turns. Returns how many.
local now = redis.call('TIME')
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now[1] * 1000 + math.floor(now[2] / 1000), 'LIMIT', 0, ARGV[1])
for _, conversation in ipairs(due) do
  redis.call('ZREM', KEYS[1], conversation)
  redis.call('XADD', KEYS[2], '*', 'c', conversation)
end
return #due
