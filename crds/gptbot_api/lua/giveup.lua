-- giveup.lua
-- Give a conversation's entry up that no worker can claim, with its oldest message. KEYS: runnable, line, waiting, owner,
-- mail, turn, dead, aside, aside's turn. ARGV: group, conversation, entry, reason, most dead letters, TTL (ms).
open(KEYS[7])
redis.call('HLEN', KEYS[9])
if redis.call('LLEN', KEYS[8]) > 0 then -- what is aside is claimed first
  KEYS[5], KEYS[6] = KEYS[8], KEYS[9]
end
if #redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3]) == 0 then
  return 0
end
redis.call('XADD', KEYS[7], 'MAXLEN', '~', ARGV[5], '*', 'c', ARGV[2], 'r', ARGV[4], 'm', redis.call('LPOP', KEYS[5]) or '')
redis.call('PEXPIRE', KEYS[7], ARGV[6])
finish(ARGV[3])
return 1
