"""Reads what a platform's server answers: so many bytes and no more."""

from __future__ import annotations

from typing import Final

import aiohttp

from gptbot.platforms.errors import TooLarge

ANSWER: Final = 4 << 20
"""Bytes of an answer of an API at most: read as JSON in 50 ms. 100 long messages of Discord take less than 2 MiB."""


async def read_at_most(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body of a response. Raises TooLarge when it has more than `limit` bytes, before more of them are kept."""
    if (response.content_length or 0) > limit:
        raise TooLarge(limit)
    parts: list[bytes] = []
    length = 0
    async for part in response.content.iter_any():
        length += len(part)
        if length > limit:
            raise TooLarge(limit)
        parts.append(part)
    return b"".join(parts)
