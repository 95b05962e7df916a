-- Whether the store takes writes and has these functions: changes a key that is never there, which writes nothing.
-- KEYS: the key.
redis.call('SET', KEYS[1], '1', 'XX')
return 1
