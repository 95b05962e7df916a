-- What was used today (UTC, by the store's clock); put before the functions that use it. An account, the bot's or a user's,
-- is a hash: `tokens` and `cost` (millionths of the currency) used on a `day`; `held`, `heldcost`: what answers under way
-- hold besides, each in a field `=HOLD` as `TOKEN UNTIL TOKENS COST`; `lapses`: no hold lapses before. Times are in ms.
if #KEYS > 40 then -- an answer is for few people
  error('too many accounts')
end
local DAY = 86400000
local LONGEST_HOLD = DAY
local MOST = 2 ^ 53
local today = math.floor(now / DAY)
local rest = DAY - now % DAY

-- A whole number in the store or of a caller; what is none, or beyond what a double counts by ones, is 0.
local function whole(text)
  local number = tonumber(text)
  return number and number >= 0 and number <= MOST and math.floor(number) or 0
end

local function text(number)
  return string.format('%.0f', math.min(number, MOST))
end

-- Tokens and cost used today.
local function used(key)
  local found = redis.call('HMGET', key, 'day', 'tokens', 'cost')
  if tonumber(found[1]) ~= today then
    return 0, 0
  end
  return whole(found[2]), whole(found[3])
end

-- Use more; the sums then.
local function use(key, tokens, cost)
  local before, paid = used(key)
  redis.call('HSET', key, 'day', today, 'tokens', text(before + tokens), 'cost', text(paid + cost))
  return before + tokens, paid + cost
end

-- The part of somebody, where so many share a sum: whole numbers that make up the sum.
local function share(sum, index, many)
  return math.floor(sum / many) + (index <= sum % many and 1 or 0)
end

-- One that would end later than any is none.
local function hold_of(value)
  local token, ends, tokens, cost = string.match(value or '', '^(%S*) (%d+) (%d+) (%d+)$')
  ends = whole(ends)
  return token, ends <= now + LONGEST_HOLD and ends or 0, whole(tokens), whole(cost)
end

-- Tokens and cost held by others than `mine`, without those whose time is over: their workers have died.
local function held(key, mine)
  local found = redis.call('HMGET', key, 'held', 'heldcost', 'lapses', '=' .. mine)
  local tokens, cost = whole(found[1]), whole(found[2])
  local lapses = whole(found[3])
  -- Without a time at which it lapses, or with one that cannot be, nobody would ever count it anew.
  if (tokens > 0 or cost > 0 or found[3]) and (lapses <= now or lapses > now + LONGEST_HOLD) then
    local next_lapse = false
    few('HLEN', key, 2000)
    local fields = redis.call('HGETALL', key)
    tokens, cost = 0, 0
    for index = 1, #fields, 2 do
      if string.sub(fields[index], 1, 1) == '=' then
        local _, ends, its_tokens, its_cost = hold_of(fields[index + 1])
        if ends > now then
          tokens, cost = tokens + its_tokens, cost + its_cost
          next_lapse = math.min(next_lapse or ends, ends)
        else
          redis.call('HDEL', key, fields[index])
        end
      end
    end
    redis.call('HSET', key, 'held', text(tokens), 'heldcost', text(cost))
    if next_lapse then
      redis.call('HSET', key, 'lapses', text(next_lapse))
    else
      redis.call('HDEL', key, 'lapses')
    end
  end
  local _, ends, its_tokens, its_cost = hold_of(found[4])
  if ends > now then
    tokens, cost = tokens - its_tokens, cost - its_cost
  end
  return math.max(tokens, 0), math.max(cost, 0)
end

-- Let a hold of this token go. Somebody else's of the same name stays: the turn is theirs now.
local function let_go(key, hold, token)
  local value = redis.call('HGET', key, '=' .. hold)
  if value and hold_of(value) == token then
    local tokens, cost = held(key, hold)
    redis.call('HDEL', key, '=' .. hold)
    redis.call('HSET', key, 'held', text(tokens), 'heldcost', text(cost))
  end
end

-- An account lives until its day is over, and its longest hold.
local function keep(key, longest)
  local left = redis.call('PTTL', key)
  local wanted = math.max(rest, longest)
  if left < wanted then
    redis.call('PEXPIRE', key, text(wanted))
  end
end
