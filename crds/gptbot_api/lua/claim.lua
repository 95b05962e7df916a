-- Make an entry delivered to this worker its turn. KEYS: runnable, line, waiting, owner, mail, turn, ctx, set, sum, aside,
-- aside's turn, later. ARGV: group, conversation, consumer, entry, most messages, turn's TTL (ms). False: it is somebody
-- else's, or there is nothing to do yet. The last two of what is returned: how often the entry was delivered, to this worker
-- and to others; and 1 if the turn is for what is answered aside, past one that waits for the model.
few('HLEN', KEYS[6], 1000)
few('HLEN', KEYS[8], 1000)
few('HLEN', KEYS[11], 1000)
redis.call('ZCARD', KEYS[12])
local most = within(ARGV[5], 1, 1000)
local said, settings, before = redis.call('LRANGE', KEYS[7], -1000, -1), redis.call('HGETALL', KEYS[8]), redis.call('GET', KEYS[9])
local aside = redis.call('LRANGE', KEYS[10], 0, 0)
local last = redis.call('HGET', KEYS[4], '#')
if last and (#last > 15 or not string.find(last, '^%d+$')) then
  error('no fencing token')
end
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[4], ARGV[4], 1)
if #pending == 0 or pending[1][2] ~= ARGV[3] then
  return false
end
local mail, notes = redis.call('LRANGE', KEYS[5], 0, most - 1), KEYS[6]
if #aside > 0 then
  mail, notes = aside, KEYS[11]
elseif #mail == 0 then
  finish(ARGV[4])
  return false
else
  local due = due_of(notes)
  if due and due > now then -- what was aside is answered: it waits on
    local user = leave(ARGV[2], ARGV[4])
    redis.call('ZADD', KEYS[12], string.format('%.0f', due), ARGV[2])
    redis.call('HSET', KEYS[2], ARGV[2], '- ' .. user)
    return false
  end
  redis.call('HDEL', notes, 'due', 'asked')
end
local token = redis.call('HINCRBY', KEYS[4], '#', 1)
redis.call('HSET', KEYS[4], ARGV[2], token)
redis.call('HDEL', notes, 'begun')
local turn = redis.call('HGETALL', notes)
redis.call('HSET', notes, 'claimed', #mail)
redis.call('PEXPIRE', notes, ARGV[6])
return {token, mail, said, turn, settings, before, pending[1][4], #aside}
