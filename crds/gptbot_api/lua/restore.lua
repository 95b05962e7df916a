-- restore.lua
-- Put conversations that one of runnable, line, waiting and later knows of where the others expect them, after one of them
-- was lost: a slice of them, since there may be many. KEYS: runnable, line, waiting, later. ARGV: group, where to go on
-- ('': at the beginning). Returns {where to go on ('': it is done), how many were put in line again}.
local SLICE = 500
local part, from = string.match(ARGV[2] or '', '^(%l+) (%S+)$')
if not part then
  part, from = 'runnable', '-'
end

-- Whether a conversation is where `line` says.
local function is_at(place, user, conversation)
  if place == '-' then
    return redis.call('ZSCORE', KEYS[4], conversation)
  elseif string.sub(place, 1, 1) == '=' then
    return redis.call('ZSCORE', KEYS[3], user .. ' ' .. string.sub(place, 2) .. ' ' .. conversation)
  end
  local entry = redis.call('XRANGE', KEYS[1], place, place)[1]
  return entry and entry[2][2] == conversation
end

local function known(conversation, place, user)
  local told, whose = place_of(conversation)
  if not told or not is_at(told, whose, conversation) then
    redis.call('HSET', KEYS[2], conversation, place .. ' ' .. (user or whose or ''))
  end
end

if part == 'runnable' then
  local found = redis.call('XRANGE', KEYS[1], from == '-' and '-' or '(' .. from, '+', 'COUNT', SLICE)
  for _, entry in ipairs(found) do
    known(entry[2][2], entry[1])
  end
  return {#found == SLICE and 'runnable ' .. found[SLICE][1] or 'waiting 0', 0}
end
if part == 'waiting' then
  local next_one, found = unpack(redis.call('ZSCAN', KEYS[3], from, 'COUNT', SLICE))
  for index = 1, #found, 2 do
    local user, number, conversation = string.match(found[index], '^(%S+) (%d+) (%S+)$')
    if user then
      known(conversation, '=' .. number, user)
    else
      redis.call('ZREM', KEYS[3], found[index])
    end
  end
  return {next_one == '0' and 'later 0' or 'waiting ' .. next_one, 0}
end
if part == 'later' then
  local next_one, found = unpack(redis.call('ZSCAN', KEYS[4], from, 'COUNT', SLICE))
  for index = 1, #found, 2 do
    known(found[index], '-')
  end
  return {next_one == '0' and 'line 0' or 'later ' .. next_one, 0}
end
local lost = 0
local next_one, fields = unpack(redis.call('HSCAN', KEYS[2], from, 'COUNT', SLICE))
for index = 1, #fields, 2 do
  local conversation, first = fields[index], string.sub(fields[index], 1, 1)
  if first ~= '@' and first ~= '#' then
    local place, user = place_of(conversation)
    if not place or not is_at(place, user, conversation) then
      join(conversation, user or '')
      lost = lost + 1
    end
  end
end
return {next_one == '0' and '' or 'line ' .. next_one, lost}
