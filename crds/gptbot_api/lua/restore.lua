-- restore.lua
-- Put every conversation that one of runnable, line, waiting and later knows of where the others expect it, after one of
-- them was lost. KEYS: runnable, line, waiting, later. ARGV: group. Returns how many were put in line again.
local there, user_of = {}, {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
  there[entry[2][2]] = entry[1]
end
for _, member in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local user, number, conversation = string.match(member, '^(%S+) (%d+) (%S+)$')
  if user then
    there[conversation], user_of[conversation] = '=' .. number, user
  else
    redis.call('ZREM', KEYS[3], member)
  end
end
for _, conversation in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  there[conversation] = there[conversation] or '-'
end
local lost = {}
local fields = redis.call('HGETALL', KEYS[2])
for index = 1, #fields, 2 do
  local conversation, first = fields[index], string.sub(fields[index], 1, 1)
  if first ~= '@' and first ~= '#' then
    local place, user = place_of(conversation)
    if there[conversation] == nil then
      lost[#lost + 1] = {conversation, user or ''}
    elseif place and place == there[conversation] then
      there[conversation] = nil
    else
      user_of[conversation] = user_of[conversation] or user
    end
  end
end
for conversation, place in pairs(there) do
  redis.call('HSET', KEYS[2], conversation, place .. ' ' .. (user_of[conversation] or ''))
end
for _, each in ipairs(lost) do
  join(each[1], each[2])
end
return #lost
