-- Give a turn up. KEYS: runnable, line, waiting, owner, mail, turn, dead, ctx, sum. ARGV: group, conversation, entry, token,
-- messages given up, reason, most dead letters, TTL (ms), context's TTL (ms), context's length, edits that are known, then
-- messages to add to the context. 0: the turn was lost. A table: something was edited since, and nothing is done.
local messages = within(ARGV[5], 0, 1000)
open(KEYS[7])
redis.call('LLEN', KEYS[8])
if redis.call('HGET', KEYS[4], ARGV[2]) ~= ARGV[4] then
  return 0
end
local news = edited(ARGV[11], messages, 0)
if news then
  return news
end
for _ = 1, math.min(messages, redis.call('LLEN', KEYS[5])) do
  local message = redis.call('LPOP', KEYS[5])
  redis.call('XADD', KEYS[7], 'MAXLEN', '~', ARGV[7], '*', 'c', ARGV[2], 'r', ARGV[6], 'm', message)
end
-- The key lives as long as its newest letter; older ones go when their own time is over.
redis.call('XTRIM', KEYS[7], 'MINID', string.format('%.0f', now - ARGV[8]))
redis.call('PEXPIRE', KEYS[7], ARGV[8])
remember(KEYS[8], KEYS[9], 12, ARGV[10], ARGV[9])
finish(ARGV[3])
return 1
