-- Finish a turn. KEYS: runnable, line, waiting, owner, mail, turn, ctx, sum. ARGV: group, conversation, entry, token,
-- messages answered, context's TTL (ms), context's length, messages to drop from its end, edits that are known, then
-- messages to add. 0: it was lost. A table: something was edited since, and nothing is done.
local answered, dropped = within(ARGV[5], 0, 1000), within(ARGV[8], 0, 1000)
redis.call('LLEN', KEYS[7])
if redis.call('HGET', KEYS[4], ARGV[2]) ~= ARGV[4] then
  return 0
end
local news = edited(ARGV[9], answered, dropped, KEYS[7])
if news then
  return news
end
redis.call('LTRIM', KEYS[5], ARGV[5], -1)
if dropped > 0 then
  redis.call('LTRIM', KEYS[7], 0, -1 - ARGV[8])
end
remember(KEYS[7], KEYS[8], 10, ARGV[7], ARGV[6])
finish(ARGV[3])
return 1
