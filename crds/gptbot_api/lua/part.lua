-- Forget that a person is in a chat, unless something of theirs waits there still. KEYS: the user's chats, mail,
-- the chat's people, aside. ARGV: user, `CONVERSATION SPEAKER`, event of a message that does not count, `USER SPEAKER`.
local function waits(list)
  for _, message in ipairs(redis.call('LRANGE', list, 0, MOST_READ - 1)) do
    local named = string.find(message, ARGV[1], 1, true) -- most are others', and need not be decoded
    local readable, envelope = pcall(cjson.decode, named and message or '')
    if readable and type(envelope) == 'table' and envelope[3] == ARGV[1] and envelope[1] ~= ARGV[3] then
      return true
    end
  end
  return false
end

if waits(KEYS[2]) or waits(KEYS[4]) then
  return 0
end
redis.call('ZREM', KEYS[3], ARGV[4])
return redis.call('ZREM', KEYS[1], ARGV[2])
