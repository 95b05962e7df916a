-- Note where a person writes, so that whoever asks to be forgotten is forgotten there too; put before the scripts that use
-- it. What is as good as new is left alone, so that a busy chat costs one look.
local function know(chats, chat, ttl)
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local before = redis.call('ZSCORE', chats, chat)
  if before and now - before < ttl / 32 then
    return
  end
  redis.call('ZADD', chats, string.format('%.0f', now), chat)
  redis.call('ZREMRANGEBYSCORE', chats, '-inf', string.format('%.0f', now - ttl))
  redis.call('PEXPIRE', chats, ttl)
end
