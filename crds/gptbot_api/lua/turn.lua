-- The end of a turn; put behind `line` and before the functions that use it.
-- KEYS: runnable, line, waiting, owner, mail, turn; or aside and its turn in the place of the last two. ARGV: group,
-- conversation.

redis.call('HLEN', KEYS[4])
redis.call('LLEN', KEYS[5])
redis.call('HLEN', KEYS[6])

-- The turn is over, and what it noted with it: the conversation goes to the end of the line, if it has more mail.
local function finish(entry)
  local aside = string.find(KEYS[6], '}:asideturn:', 1, true) -- of another turn, which waits
  redis.call('UNLINK', KEYS[6])
  redis.call('HDEL', KEYS[4], ARGV[2])
  local user = leave(ARGV[2], entry)
  local head = redis.call('LINDEX', KEYS[5], 0)
  if head or aside then
    local writer = head and author(head) or ''
    join(ARGV[2], writer ~= '' and writer or user)
  end
end

-- What a worker that ends a turn has to read anew before it adds to the context: all that the turn is for, and the last
-- `replaced` messages of the context, when some of it was edited since; it knows of `known` edits.
local function edited(known, messages, replaced, context)
  local edits = count_of(redis.call('HGET', KEYS[6], 'edits'))
  if edits == within(known, 0, 1000000) then
    return nil
  end
  local last = replaced > 0 and redis.call('LRANGE', context, -replaced, -1) or {}
  return {edits, messages > 0 and redis.call('LRANGE', KEYS[5], 0, messages - 1) or {}, last}
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
