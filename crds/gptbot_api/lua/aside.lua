-- What is answered past a turn that waits for the model; put before the functions that use it. The turn's hash says `due`
-- (ms) while it waits, whether in `later` or, while something is answered aside, in line or with a worker.

-- How many of the messages of a mailbox are looked at, and how much of them (bytes).
local MOST_ASIDE, MOST_BYTES = 200, 500000

-- When the turn is to be tried again; nil when it does not wait. A time that no worker gives is one that has come.
local function due_of(turn)
  local text = redis.call('HGET', turn, 'due')
  if text then
    local due = #text < 16 and string.find(text, '^%d+$') and tonumber(text) or 0
    return due <= now + 172800000 and due or 0
  end
end

-- Whether a message needs no model. Envelopes are arrays, the 9th a command's name, the 10th a notice's.
local function needs_no_model(message, asking)
  local readable, envelope = pcall(cjson.decode, message)
  if not readable or type(envelope) ~= 'table' then
    return false
  end
  local command = envelope[9]
  return type(envelope[10]) == 'string'
    or (type(command) == 'string' and not string.find(asking, ' ' .. command .. ' ', 1, true))
end

-- Take what needs no model out of the mailbox, from behind its head; how many there are aside.
local function put_aside(mail, aside, asking, ttl)
  local bytes = 0
  for place, message in ipairs(redis.call('LRANGE', mail, 1, MOST_ASIDE)) do
    bytes = bytes + #message
    if bytes > MOST_BYTES then
      break
    end
    if needs_no_model(message, asking) then
      redis.call('LSET', mail, place, '')
      redis.call('RPUSH', aside, message)
      redis.call('PEXPIRE', aside, ttl)
    end
  end
  redis.call('LREM', mail, 0, '')
  return redis.call('LLEN', aside)
end
