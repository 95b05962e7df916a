-- May somebody try to log in once more? A try is counted, by the store's clock, before it is looked at.
-- KEYS: times (ms) of the last tries of an address, of all. ARGV: tries and window (ms) of each.
-- Returns ms until the next try may be made; 0: this one may, and is counted.
for index, key in ipairs(KEYS) do
  local most, window = tonumber(ARGV[2 * index - 1]), tonumber(ARGV[2 * index])
  local oldest = redis.pcall('LINDEX', key, most - 1)
  local wait = 0
  if type(oldest) == 'table' then -- no list: whatever it is, it was not ours
    wait = window + 1
  elseif oldest then
    wait = (tonumber(oldest) or now + 1) + window - now
  end
  if wait > window then -- unreadable, or of a clock that went wrong: begun anew
    redis.call('DEL', key)
  elseif wait > 0 then
    return wait
  end
end

for index, key in ipairs(KEYS) do
  redis.call('LPUSH', key, string.format('%.0f', now))
  redis.call('LTRIM', key, 0, ARGV[2 * index - 1] - 1)
  redis.call('PEXPIRE', key, ARGV[2 * index])
end
return 0
