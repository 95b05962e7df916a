-- Count what was used, and let the hold go that it was reserved with. KEYS: accounts of the bot, then of users, who share
-- it. ARGV: fencing token, hold ('': none), tokens, cost. Returns {tokens, cost} of the bot today.
local tokens, cost = 0, 0
for index = #KEYS, 1, -1 do
  local many = index == 1 and 1 or #KEYS - 1
  local place = index == 1 and 1 or index - 1
  if ARGV[2] ~= '' then
    let_go(KEYS[index], ARGV[2], ARGV[1])
  end
  tokens, cost = use(KEYS[index], share(whole(ARGV[3]), place, many), share(whole(ARGV[4]), place, many))
  keep(KEYS[index], 0)
end
return {text(tokens), text(cost)}
