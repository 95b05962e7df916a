-- Make an entry delivered to this worker its turn. KEYS: runnable, line, waiting, owner, mail, turn, ctx, set, sum. ARGV:
-- group, conversation, consumer, entry, most messages, turn's TTL (ms). False: it is somebody else's, or there is nothing
-- to do. The last of what is returned: how often the entry was delivered, to this worker and to others.
few('HLEN', KEYS[6], 1000)
few('HLEN', KEYS[8], 1000)
local most = within(ARGV[5], 1, 1000)
local said, settings, before = redis.call('LRANGE', KEYS[7], -1000, -1), redis.call('HGETALL', KEYS[8]), redis.call('GET', KEYS[9])
local last = redis.call('HGET', KEYS[4], '#')
if last and (#last > 15 or not string.find(last, '^%d+$')) then
  error('no fencing token')
end
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[4], ARGV[4], 1)
if #pending == 0 or pending[1][2] ~= ARGV[3] then
  return false
end
local mail = redis.call('LRANGE', KEYS[5], 0, most - 1)
if #mail == 0 then
  finish(ARGV[4])
  return false
end
local token = redis.call('HINCRBY', KEYS[4], '#', 1)
redis.call('HSET', KEYS[4], ARGV[2], token)
redis.call('HDEL', KEYS[6], 'begun')
local turn = redis.call('HGETALL', KEYS[6])
redis.call('HSET', KEYS[6], 'claimed', #mail)
redis.call('PEXPIRE', KEYS[6], ARGV[6])
return {token, mail, said, turn, settings, before, pending[1][4]}
