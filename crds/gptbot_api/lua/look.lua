-- Fields of a hash, so many of so many bytes and no more, whatever somebody wrote there: a list of names and values.
-- KEYS: the hash. ARGV: most fields, most bytes of a name and its value together, then the names; none: all.
local most, longest, found, entries = within(ARGV[1], 1, 1000), tonumber(ARGV[2]), {}, {}
if #ARGV > 2 then
  local names = {unpack(ARGV, 3)}
  local values = redis.call('HMGET', KEYS[1], unpack(names))
  for i, name in ipairs(names) do
    entries[2 * i - 1], entries[2 * i] = name, values[i] or ''
  end
else
  entries = redis.call('HSCAN', KEYS[1], 0, 'COUNT', most)[2]
end
for i = 1, math.min(#entries, 2 * most), 2 do
  if #entries[i] + #entries[i + 1] <= longest then
    found[#found + 1], found[#found + 2] = entries[i], entries[i + 1]
  end
end
return found
