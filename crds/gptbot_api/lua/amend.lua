-- Put an entry of a context in another's place, and tell of it whoever is at an answer. KEYS: ctx, owner, turn. ARGV:
-- conversation, entry as it was, as it is now. 0: it is not there like that any more.
local owned = redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1
local edits = count_of(redis.call('HGET', KEYS[3], 'edits'))
for place, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, MOST_READ - 1)) do
  if entry == ARGV[2] then
    redis.call('LSET', KEYS[1], place - 1, ARGV[3])
    if owned then
      redis.call('HSET', KEYS[3], 'edits', string.format('%.0f', edits + 1))
    end
    return 1
  end
end
return 0
