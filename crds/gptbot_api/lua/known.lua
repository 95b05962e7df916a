-- Note where a person writes, so that whoever asks to be forgotten is forgotten there too; put before the functions that use
-- it. What is as good as new is left alone, so that a busy chat costs one look. `members`: who writes there, for when the
-- whole chat is forgotten; of a private chat nobody asks that.
local function know(chats, chat, ttl, members, member)
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local before = redis.call('ZSCORE', chats, chat)
  if before and now - before < ttl / 32 then
    return
  end
  local function note(key, item)
    redis.call('ZADD', key, string.format('%.0f', now), item)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - ttl))
    redis.call('PEXPIRE', key, ttl)
  end
  note(chats, chat)
  if member then
    note(members, member)
  end
end
