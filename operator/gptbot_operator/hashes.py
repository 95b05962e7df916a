"""Reads hashes of a bot's store: so many fields of so many bytes and no more, whatever somebody wrote there."""

from __future__ import annotations

from typing import Any, Final

from gptbot_api.store_functions import function

_LOOK: Final = function("look")
MOST_FIELDS: Final = 512
"""A field a shard of a platform, an endpoint of the model, or a key that was put aside."""
MOST_BYTES: Final = 4096
"""Of a field's name and value together; longer ones are passed over. A report has less than 1 KiB."""


def ask(pipeline: Any, key: str, *names: str) -> None:
    """Queue the reading of a hash, or of the fields named."""
    pipeline.fcall(_LOOK, 1, key, MOST_FIELDS, MOST_BYTES, *names)


def fields(reply: list[bytes] | None) -> dict[bytes, bytes]:
    """The fields in a reply; none where the hash could not be read."""
    flat = iter(reply or ())
    return dict(zip(flat, flat, strict=False))
