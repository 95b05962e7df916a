"""GIF (89a) of its first frame alone."""

from __future__ import annotations

from gptbot.files.errors import NotAnImage

_EXTENSION, _IMAGE, _CONTROL = 0x21, 0x2C, 0xF9
_TRAILER = b"\x3b"
_MOST_BLOCKS = 32_768
"""Blocks of one image: they have 255 bytes each, but for the last of a row, and in a picture of 5 MB are 20,000."""


def clean_gif(data: bytes) -> bytes:
    """The first picture, without comments and application data (XMP is such). Raises NotAnImage."""
    try:
        place, blocks = 13 + _colours(data[10]), 0
        kept = [data[:place]]
        while True:
            if data[place] == _EXTENSION:
                end, blocks = _blocks_end(data, place + 2, blocks)
                if data[place + 1] == _CONTROL:  # transparency
                    kept.append(data[place:end])
            elif data[place] == _IMAGE:
                end, blocks = _blocks_end(data, place + 11 + _colours(data[place + 9]), blocks)
                return b"".join([*kept, data[place:end], _TRAILER])
            else:
                raise NotAnImage("a GIF without a picture")
            place = end
    except IndexError:
        raise NotAnImage("a GIF that is cut off") from None


def _colours(flags: int) -> int:
    """Bytes of the colour table that flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks_end(data: bytes, place: int, before: int) -> tuple[int, int]:
    """Where a row of blocks ends, behind one of no length; and how many blocks there were with those `before`."""
    while True:
        before += 1
        if before > _MOST_BLOCKS:
            raise NotAnImage("a GIF of too many blocks")
        if not data[place]:
            return place + 1, before
        place += 1 + data[place]
