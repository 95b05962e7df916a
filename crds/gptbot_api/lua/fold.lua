-- Put a summary in the place of the oldest messages of a context. KEYS: ctx, sum, fold. ARGV: who folds, messages folded,
-- SHA-1 of these with line feeds between them, SHA-1 of the summary before, the new one. 0: the context is another by now,
-- was forgotten, or somebody else folds it; nothing is changed.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then
  return 0
end
local count, length = within(ARGV[2], 1, 1000), redis.call('LLEN', KEYS[1])
local ttl = redis.call('PTTL', KEYS[1])
if length <= count or ttl <= 0 then
  return 0
end
local folded = table.concat(redis.call('LRANGE', KEYS[1], 0, count - 1), '\n')
if redis.sha1hex(folded) ~= ARGV[3] or redis.sha1hex(redis.call('GET', KEYS[2]) or '') ~= ARGV[4] then
  return 0
end
redis.call('LTRIM', KEYS[1], count, -1)
redis.call('SET', KEYS[2], ARGV[5], 'PX', ttl)
return 1
