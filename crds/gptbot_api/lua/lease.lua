-- Take or keep a lease. KEYS: lease, mark of those who wait for it. ARGV: holder, TTL (ms), TTL of the mark (ms; 0: leave
-- none). 0: it is another's. 1: it is the holder's now. 2: it is, and somebody waits for it who has less than his share.
local holder = redis.call('GET', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if holder and holder ~= ARGV[1] and left > 0 and left <= 100 * ARGV[2] then -- every lease has an end, and a near one
  if tonumber(ARGV[3]) > 0 then
    redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
  end
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1 + (redis.call('PTTL', KEYS[2]) > 0 and 1 or 0)
