-- The end of a turn; put behind `line` and before the functions that use it.
-- KEYS: runnable, line, waiting, owner, mail, turn. ARGV: group, conversation.

redis.call('HLEN', KEYS[4])
redis.call('LLEN', KEYS[5])
redis.call('HLEN', KEYS[6])

-- The turn is over, and what it noted with it: the conversation goes to the end of the line, if it has more mail.
local function finish(entry)
  redis.call('UNLINK', KEYS[6])
  redis.call('HDEL', KEYS[4], ARGV[2])
  local user = leave(ARGV[2], entry)
  local head = redis.call('LINDEX', KEYS[5], 0)
  if head then
    local writer = author(head)
    join(ARGV[2], writer ~= '' and writer or user)
  end
end

-- Add messages to a context, those in ARGV from `first` on: it keeps so many, and lives with its notes for `ttl` (ms).
local function remember(context, notes, first, most, ttl)
  if #ARGV >= first then
    redis.call('RPUSH', context, unpack(ARGV, first))
    redis.call('LTRIM', context, -tonumber(most), -1)
    redis.call('PEXPIRE', context, ttl)
    redis.call('PEXPIRE', notes, ttl)
  end
end
