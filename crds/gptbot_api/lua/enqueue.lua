-- Take a platform's message in, once. KEYS: runnable, line, waiting, owner, mail, turn, later, stops, aside, seen, the user's
-- chats, the chat's people. ARGV: group, conversation, stops' TTL (ms), most stops, seen's TTL (ms), envelope, user, speaker,
-- TTL of the user's chats (ms; 0: it is none of them), when it was received (ms), longest time since the message before that
-- it belongs to (ms; 0: it belongs to none), most messages of one answer, TTL of what is answered aside (ms; 0: it is for
-- the model).
redis.call('ZCARD', KEYS[11])
redis.call('ZCARD', KEYS[12])
local received, longest, most = within(ARGV[10], 0, 2 ^ 53), within(ARGV[11], 0, 60000), within(ARGV[12], 1, 1000)
local aside = within(ARGV[13], 0, 10 ^ 12)
local waits, asked = unpack(redis.call('HMGET', KEYS[6], 'due', 'asked'))
local asides = redis.call('LLEN', KEYS[9])

-- Whether an answer is being made of which nothing is shown, to what the same person wrote right before.
local function continues(place)
  local size, shown = answering()
  if shown or size ~= place - 1 or size >= most or redis.call('HEXISTS', KEYS[6], 'stop') == 1 then
    return false
  end
  -- Envelopes are arrays: the 3rd is the author, the 7th when it was received (s), the 9th a command, the 10th a notice.
  local readable, before = pcall(cjson.decode, redis.call('LINDEX', KEYS[5], -2) or '')
  if not readable or type(before) ~= 'table' or type(before[7]) ~= 'number' then
    return false
  end
  local plain = before[9] == cjson.null and before[10] == cjson.null
  return plain and before[3] == ARGV[7] and math.abs(received - before[7] * 1000) <= longest
end

-- Have the conversation in line at once, if its turn is in `later`; what is answered aside puts it in line again itself.
local function hurry(user)
  if asides == 0 and redis.call('ZREM', KEYS[7], ARGV[2]) == 1 then
    join(ARGV[2], user)
  end
end

if not redis.call('SET', KEYS[10], '1', 'NX', 'PX', ARGV[5]) then
  return 0
end
if waits and aside > 0 then
  -- The turn before it waits for the model, and this needs none.
  redis.call('RPUSH', KEYS[9], ARGV[6])
  redis.call('PEXPIRE', KEYS[9], aside)
  hurry(ARGV[7])
else
  local place = redis.call('RPUSH', KEYS[5], ARGV[6])
  if place == 1 then
    if asides == 0 or not place_of(ARGV[2]) then -- a version that knows of no asides leaves them without a place
      join(ARGV[2], ARGV[7])
    end
  elseif waits and not asked then
    -- Somebody asks who may know that the model is back: the next try need not wait any more.
    redis.call('HSET', KEYS[6], 'due', 0)
    local _, user = place_of(ARGV[2])
    hurry(user or '')
  elseif longest > 0 and continues(place) then
    withdraw()
    join(ARGV[2], leave(ARGV[2]))
  end
end
if ARGV[9] ~= '0' then
  know(KEYS[11], ARGV[2] .. ' ' .. ARGV[8], tonumber(ARGV[9]), KEYS[12], ARGV[8] ~= '' and ARGV[7] .. ' ' .. ARGV[8])
end
return 1
