"""PNG (W3C, third edition) of the chunks that make the picture alone."""

from __future__ import annotations

import zlib

from gptbot.files.errors import NotAnImage

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"cICP"})
"""Colours, and the picture. An animation loses its further frames."""
_MOST_CHUNKS = 16_384
"""Chunks of one image: encoders write the picture in pieces of 4 KiB and more."""


def clean_png(data: bytes) -> bytes:
    """The image without text, Exif, time and profile, and nothing behind its end. Raises NotAnImage."""
    kept = [_SIGNATURE]
    place, first = len(_SIGNATURE), True
    for _ in range(_MOST_CHUNKS):
        size, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        end = place + 12 + size
        if len(data) < end or len(kind) < 4:
            raise NotAnImage("a PNG that is cut off")
        if first != (kind == b"IHDR") or zlib.crc32(data[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            raise NotAnImage("a PNG that is broken")
        if kind in _KEPT:
            kept.append(data[place:end])
        if kind == b"IEND":
            return b"".join(kept)
        place, first = end, False
    raise NotAnImage("a PNG of too many chunks")
