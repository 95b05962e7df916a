-- Take a turn back from its worker, which hears of it as of a stop and finds that it has lost the turn; put behind `turn`.
-- KEYS: runnable, line, waiting, owner, mail, turn, later, stops, aside. ARGV: group, conversation, stops' TTL (ms), most stops.

redis.call('ZCARD', KEYS[7])
open(KEYS[8])
redis.call('LLEN', KEYS[9])

-- Tell the worker, if one has the turn. The conversation keeps its place in the line's bookkeeping: `finish` or `join`.
local function withdraw()
  local token = redis.call('HGET', KEYS[4], ARGV[2])
  if token then
    redis.call('HDEL', KEYS[4], ARGV[2])
    redis.call('XADD', KEYS[8], 'MAXLEN', '~', ARGV[4], '*', 't', token)
    redis.call('PEXPIRE', KEYS[8], ARGV[3])
  end
end

-- How many messages at the head of the mailbox an answer is being made for, and whether that is the exact number.
local function answering()
  local notes = redis.call('HMGET', KEYS[6], 'answers', 'begun', 'claimed')
  if notes[1] then -- the reply is finished, and is for these whoever sends it
    return tonumber(notes[1]), true
  end
  if redis.call('HEXISTS', KEYS[4], ARGV[2]) == 0 or redis.call('LLEN', KEYS[9]) > 0 then
    return 0, true -- nobody is at it; who has the conversation answers what is aside
  end
  return tonumber(notes[2] or notes[3]) or math.huge, notes[2] and true or false
end
