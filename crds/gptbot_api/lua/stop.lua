-- Ask for the end of the answer being made. KEYS: seen, mail, turn, owner, later, stops, aside. ARGV: seen's TTL (ms),
-- conversation, turn's TTL (ms), stops' TTL (ms), most stops, and maybe an envelope that tells of it.
-- 0: nothing is being made. 1: it will end, or the event was taken before.
redis.call('HLEN', KEYS[3])
redis.call('HLEN', KEYS[4])
redis.call('ZCARD', KEYS[5])
open(KEYS[6])
local aside = redis.call('LLEN', KEYS[7]) > 0 -- and whoever has the conversation answers that
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 1
end
local head = redis.call('LINDEX', KEYS[2], 0)
if not head then
  return 0
end
-- Only what the model answers can be stopped: envelopes are arrays, the 9th a command's name, the 10th a notice's.
-- Of the commands, those are these.
local asking = {['continue'] = true, ['retry'] = true, ['summary'] = true}
local readable, message = pcall(cjson.decode, head)
if not readable or type(message) ~= 'table' or message[10] ~= cjson.null then
  return 0
end
if message[9] ~= cjson.null and not asking[message[9]] then
  return 0
end
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
redis.call('HSET', KEYS[3], 'stop', redis.call('LLEN', KEYS[2]))
redis.call('PEXPIRE', KEYS[3], ARGV[3])
local token = redis.call('HGET', KEYS[4], ARGV[2])
if redis.call('HEXISTS', KEYS[3], 'due') == 1 then -- it need not wait for the model any more
  redis.call('HSET', KEYS[3], 'due', 0)
end
if token and not aside then
  redis.call('XADD', KEYS[6], 'MAXLEN', '~', ARGV[5], '*', 't', token)
  redis.call('PEXPIRE', KEYS[6], ARGV[4])
elseif redis.call('HEXISTS', KEYS[3], 'reply') == 0 then
  -- It waits for another try: it need not any more. A finished reply waits because its platform asked for it.
  redis.call('ZADD', KEYS[5], 'XX', 0, ARGV[2])
end
if ARGV[6] then
  redis.call('RPUSH', KEYS[2], ARGV[6])
end
return 1
