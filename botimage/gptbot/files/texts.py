"""Text files: which encoding they are in, and whether they are texts at all."""

from __future__ import annotations

import codecs
import re

from gptbot.files.errors import NotText

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
"""Byte order marks; that of UTF-32 begins with that of UTF-16."""
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
"""What no text holds; a form feed and an escape (colours of a log) may be."""
_LOOKED_AT = 4096
"""Bytes by which an encoding is told; a multiple of four."""
_READ = 17_000
"""Characters by which it is told whether a text is one: more than is read of any. One search is one call, in which no
other thread runs, so that all of a large file would hold up the event loop."""
_HIGHEST_PLANE = 0x10
_RUSSIAN = re.compile("[а-яё]{3}", re.IGNORECASE)
_OTHERS_LETTERS = re.compile("[ЂЃѓ‚„…†‡€‰ЉЊЌЋЏђљњќћџЎўЈҐЄЇІіґєјЅѕї\u2018-\u201d]")


def decode(data: bytes) -> str:
    """The text of a file: with a byte order mark, else UTF-8, UTF-16, UTF-32 or Windows-1251. Raises NotText."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(_decoded(data, encoding))
    if data[:_LOOKED_AT].count(0):
        return _checked(_decoded(data, _wide(data[:_LOOKED_AT])))
    try:
        return _checked(data.decode())
    except UnicodeDecodeError:
        text = _checked(_decoded(data, "cp1251"))
    start = text[:_READ]
    # Every file decodes as Windows-1251. In a Russian text, words are of the letters of that language.
    strange = len(_OTHERS_LETTERS.findall(start))
    if not _RUSSIAN.search(start) or strange * 10 > sum(not character.isascii() for character in start):
        raise NotText("in no encoding that is known here")
    return text


def _wide(start: bytes) -> str:
    """Which of the encodings of two or four bytes a unit a text is in, by where its zeros are.

    In UTF-32 the first byte of four is zero, and the second is 16 at most, zero for most characters (RFC 3629, 3).
    """
    zeros = [start[place::4].count(0) for place in range(4)]
    units = len(start) // 4
    if len(start) % 4 == 0 and units:
        if zeros[3] == units and zeros[2] * 2 >= units and max(start[2::4]) <= _HIGHEST_PLANE:
            return "utf-32-le"
        if zeros[0] == units and zeros[1] * 2 >= units and max(start[1::4]) <= _HIGHEST_PLANE:
            return "utf-32-be"
    return "utf-16-le" if zeros[1] + zeros[3] > zeros[0] + zeros[2] else "utf-16-be"


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise NotText("not a text") from None


def _checked(text: str) -> str:
    if _CONTROLS.search(text, 0, _READ):
        raise NotText("not a text: it holds control characters")
    return text
