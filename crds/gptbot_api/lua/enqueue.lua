-- Take a platform's message in, once. KEYS: runnable, line, waiting, owner, mail, turn, later, stops, seen, the user's chats,
-- the chat's people. ARGV: group, conversation, stops' TTL (ms), most stops, seen's TTL (ms), envelope, user, speaker, TTL of
-- the user's chats (ms; 0: it is none of them), when it was received (ms), longest time since the message before that it
-- belongs to (ms; 0: it belongs to none), most messages of one answer.
redis.call('ZCARD', KEYS[10])
redis.call('ZCARD', KEYS[11])
local received, longest, most = within(ARGV[10], 0, 2 ^ 53), within(ARGV[11], 0, 60000), within(ARGV[12], 1, 1000)

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

if not redis.call('SET', KEYS[9], '1', 'NX', 'PX', ARGV[5]) then
  return 0
end
local place = redis.call('RPUSH', KEYS[5], ARGV[6])
if place == 1 then
  join(ARGV[2], ARGV[7])
elseif longest > 0 and continues(place) then
  withdraw()
  join(ARGV[2], leave(ARGV[2]))
end
if ARGV[9] ~= '0' then
  know(KEYS[10], ARGV[2] .. ' ' .. ARGV[8], tonumber(ARGV[9]), KEYS[11], ARGV[8] ~= '' and ARGV[7] .. ' ' .. ARGV[8])
end
return 1
