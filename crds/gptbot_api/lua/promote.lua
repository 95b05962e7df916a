-- Put turns in line whose time has come. KEYS: runnable, line, waiting, later. ARGV: group, most turns. Returns how many.
local now = redis.call('TIME')
local due = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now[1] * 1000 + math.floor(now[2] / 1000), 'LIMIT', 0, ARGV[2])
for _, conversation in ipairs(due) do
  redis.call('ZREM', KEYS[4], conversation)
  local _, user = place_of(conversation)
  join(conversation, user or '')
end
return #due
