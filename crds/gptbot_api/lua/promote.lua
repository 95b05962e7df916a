-- Put turns in line whose time has come, or is further away than any that a worker gives. KEYS: runnable, line, waiting,
-- later. ARGV: group, most turns, longest delay (ms). Returns how many.
local most = within(ARGV[2], 1, 200)
local due = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', now), 'LIMIT', 0, most)
if #due == 0 then
  local beyond = '(' .. string.format('%.0f', now + ARGV[3])
  due = redis.call('ZRANGEBYSCORE', KEYS[4], beyond, '+inf', 'LIMIT', 0, most)
end
for _, conversation in ipairs(due) do
  redis.call('ZREM', KEYS[4], conversation)
  local _, user = place_of(conversation)
  join(conversation, user or '')
end
return #due
