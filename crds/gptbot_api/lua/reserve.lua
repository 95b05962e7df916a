-- May the model be asked? What it may cost is held until it is known. KEYS: owner, accounts of the bot, then of users, who
-- share it. ARGV: conversation ('': not fenced), fencing token, hold, how long it is kept (ms); tokens and cost of the
-- question; tokens of the longest answer, and of the shortest worth beginning; cost of an answer's token; tokens and cost
-- used by tries before; limits of a day: tokens of the bot, of a user, cost of the bot, of a user (0: none).
-- Returns {tokens of the answer that are held, why not, whether that may pass as others hold it, tokens, cost of the bot
-- today}; why not: the limit, or `lost`: the turn is another's.
local question, question_cost = whole(ARGV[5]), whole(ARGV[6])
local longest, least = whole(ARGV[7]), whole(ARGV[8])
local price = tonumber(ARGV[9]) or 0
local many = math.max(#KEYS - 2, 1)
local limits = {tokens = {whole(ARGV[12]), whole(ARGV[13])}, cost = {whole(ARGV[14]), whole(ARGV[15])}}

local tokens, cost = 0, 0
for index = #KEYS, 2, -1 do
  local shares, place = index == 2 and 1 or many, index == 2 and 1 or index - 2
  if whole(ARGV[10]) > 0 or whole(ARGV[11]) > 0 then
    use(KEYS[index], share(whole(ARGV[10]), place, shares), share(whole(ARGV[11]), place, shares))
    keep(KEYS[index], 0)
  end
  tokens, cost = used(KEYS[index])
end
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return {0, 'lost', 0, text(tokens), text(cost)}
end

-- Tokens of an answer that fit under a limit of which so much is left.
local function fits(limit, gone, shares, of_question, each)
  if limit == 0 then
    return longest
  end
  local left = (limit - gone) * shares - of_question
  if left < 0 then
    return -1
  end
  return each > 0 and math.floor(left / each) or longest
end

local granted, why, passes, others = longest, '', 1, {}
for index = 2, #KEYS do
  local user = index > 2
  local shares, which = user and many or 1, user and 2 or 1
  local its_tokens, its_cost = used(KEYS[index])
  others[index] = {held(KEYS[index], ARGV[3])}
  for _, of in ipairs({
    {user and 'user-tokens' or 'tokens', limits.tokens[which], its_tokens, others[index][1], question, 1},
    {user and 'user-cost' or 'cost', limits.cost[which], its_cost, others[index][2], question_cost, price},
  }) do
    local room = fits(of[2], of[3] + of[4], shares, of[5], of[6])
    if room < least then
      local alone = fits(of[2], of[3], shares, of[5], of[6]) >= least
      if why == '' or (passes == 1 and not alone) then -- what lasts until tomorrow is told before what may pass at once
        why, passes = of[1], alone and 1 or 0
      end
    end
    granted = math.min(granted, room)
  end
end
if why ~= '' then
  return {0, why, passes, text(tokens), text(cost)}
end

local ends = now + whole(ARGV[4])
for index = 2, #KEYS do
  local shares = index == 2 and 1 or many
  local its_tokens = math.ceil((question + granted) / shares)
  local its_cost = math.ceil((question_cost + math.ceil(granted * price)) / shares)
  local lapses = redis.call('HGET', KEYS[index], 'lapses')
  redis.call(
    'HSET', KEYS[index], '=' .. ARGV[3], table.concat({ARGV[2], text(ends), text(its_tokens), text(its_cost)}, ' '),
    'held', text(others[index][1] + its_tokens), 'heldcost', text(others[index][2] + its_cost),
    'lapses', text(lapses and whole(lapses) > now and math.min(whole(lapses), ends) or ends)
  )
  keep(KEYS[index], whole(ARGV[4]))
end
return {granted, '', 0, text(tokens), text(cost)}
