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
_RUSSIAN = re.compile("[а-яё]{3}", re.IGNORECASE)
_OTHERS_LETTERS = re.compile("[ЂЃѓ‚„…†‡€‰ЉЊЌЋЏђљњќћџЎўЈҐЄЇІіґєјЅѕї\u2018-\u201d]")


def decode(data: bytes) -> str:
    """The text of a file: with a byte order mark, else UTF-8, UTF-16 or Windows-1251. Raises NotText."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(_decoded(data, encoding))
    if data[:4096].count(0):
        return _checked(
            _decoded(data, "utf-16-le" if data[1:4096:2].count(0) > data[:4096:2].count(0) else "utf-16-be")
        )
    try:
        return _checked(data.decode())
    except UnicodeDecodeError:
        text = _checked(_decoded(data, "cp1251"))
    # Every file decodes as Windows-1251. In a Russian text, words are of the letters of that language.
    strange = len(_OTHERS_LETTERS.findall(text))
    if not _RUSSIAN.search(text) or strange * 10 > sum(not character.isascii() for character in text):
        raise NotText("in no encoding that is known here")
    return text


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise NotText("not a text") from None


def _checked(text: str) -> str:
    if _CONTROLS.search(text):
        raise NotText("not a text: it holds control characters")
    return text
