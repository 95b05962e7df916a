-- Replace a message that waits for its answer. ARGV: further the message as it was, as it is now, most restarts, 1 if it may
-- be replaced while its answer is being shown. 0: it is not there like that any more. 1: replaced. 2: its answer is being
-- shown, or was finished, and stays; what will be remembered are the new words, if they may be.
local function restarted()
  local times = count_of(redis.call('HGET', KEYS[6], 'restarts')) + 1
  redis.call('HSET', KEYS[6], 'restarts', string.format('%.0f', times))
  return times
end

for place, message in ipairs(redis.call('LRANGE', KEYS[5], 0, MOST_READ - 1)) do
  if message == ARGV[5] then
    local size, begun = answering()
    if place <= size and begun then
      if ARGV[8] == '1' then
        redis.call('LSET', KEYS[5], place - 1, ARGV[6])
        redis.call('HSET', KEYS[6], 'edits', string.format('%.0f', count_of(redis.call('HGET', KEYS[6], 'edits')) + 1))
      end
      return 2
    end
    redis.call('LSET', KEYS[5], place - 1, ARGV[6])
    -- Nothing of the answer was shown: it is begun anew with the new text, but not over and over.
    if place <= size and restarted() <= tonumber(ARGV[7]) then
      withdraw()
      join(ARGV[2], leave(ARGV[2]))
    end
    return 1
  end
end
return 0
