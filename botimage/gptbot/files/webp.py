"""WebP (RFC 9649) of the chunks that make the picture alone."""

from __future__ import annotations

from gptbot.files.errors import NotAnImage

_KEPT = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_ALPHA, _ANIMATION = 0x10, 0x02
_MOST_CHUNKS = 1024
"""Chunks of one image: the picture has two at most, and what accompanies it a few."""


def clean_webp(data: bytes) -> bytes:
    """The image without Exif, XMP and profile, and nothing behind its end. Raises NotAnImage, for animations too."""
    kept: list[bytes] = []
    chunks = 0
    place, last = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while place < last:
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        end = place + 8 + size
        if len(data) < end or len(kind) < 4:
            raise NotAnImage("a WebP that is cut off")
        content = data[place + 8 : end]
        if kind == b"VP8X":
            if size < 10 or content[0] & _ANIMATION:
                raise NotAnImage("an animated or broken WebP")
            kept.append(_chunk(kind, bytes([content[0] & _ALPHA]) + b"\0\0\0" + content[4:10]))
        elif kind in _KEPT:
            kept.append(_chunk(kind, content))
        place = end + size % 2
        chunks += 1
        if chunks > _MOST_CHUNKS:
            raise NotAnImage("a WebP of too many chunks")
    if not any(chunk[:4] in (b"VP8 ", b"VP8L") for chunk in kept):
        raise NotAnImage("a WebP without a picture")
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)
