"""Reads hashes of a bot's store: so many fields of so many bytes and no more, whatever somebody wrote there."""

from __future__ import annotations

from typing import Any, Final

MOST_FIELDS: Final = 512
"""A field a shard of a platform, an endpoint of the model, or a key that was put aside."""
MOST_BYTES: Final = 4096
"""Of a field's name and value together; longer ones are passed over. A report has less than 1 KiB."""

_SCRIPT: Final = """
local most, longest, found = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
local entries = {}
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
"""


def ask(pipeline: Any, key: str, *names: str) -> None:
    """Queue the reading of a hash, or of the fields named."""
    pipeline.eval(_SCRIPT, 1, key, MOST_FIELDS, MOST_BYTES, *names)


def fields(reply: list[bytes] | None) -> dict[bytes, bytes]:
    """The fields in a reply; none where the hash could not be read."""
    flat = iter(reply or ())
    return dict(zip(flat, flat, strict=False))
