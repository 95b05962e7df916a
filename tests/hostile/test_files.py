"""Files that are made to cost much, or to break what reads them."""

from __future__ import annotations

import re
import struct
import sys
import time
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptbot.files import texts
from gptbot.files.errors import NotAnImage, NotText
from gptbot.files.images import clean
from gptbot.files.limits import BYTES, CHARACTERS
from gptbot.files.texts import decode
from tests.files.pictures import gif, jpeg, png, webp
from tests.hostile.growth import MOST_GROWTH, measured
from tests.hostile.inputs import Hostile

_START = {"jpeg": b"\xff\xd8\xff\xda\x00\x02", "png": b"\x89PNG\r\n\x1a\n", "gif": b"GIF89a" + bytes(7)}
_EMPTY_CHUNK = struct.pack(">I4sI", 0, b"tEXt", zlib.crc32(b"tEXt"))
_IHDR = struct.pack(">I4s13sI", 13, b"IHDR", bytes(13), zlib.crc32(b"IHDR" + bytes(13)))
_FILES = {
    "restart markers in compressed data": (_START["jpeg"], b"\xff\xd0"),
    "restart markers": (b"\xff\xd8", b"\xff\xd0"),
    "stuffed bytes": (_START["jpeg"], b"\xff\x00"),
    "fill bytes": (b"\xff\xd8", b"\xff"),
    "fill bytes in compressed data": (_START["jpeg"], b"\xff"),
    "empty segments": (b"\xff\xd8", b"\xff\xfe\x00\x02"),
    "scans": (b"\xff\xd8", b"\xff\xda\x00\x02a"),
    "empty chunks": (_START["png"] + _IHDR, _EMPTY_CHUNK),
    "blocks of a byte": (_START["gif"] + b"\x21\xff", b"\x01a"),
    "extensions": (_START["gif"], b"\x21\xff\x00"),
    "empty chunks of WebP": (b"RIFF\xff\xff\xff\x00WEBP", b"ALPH\0\0\0\0"),
}


@pytest.mark.parametrize("name", _FILES)
def test_an_image_of_the_largest_size_costs_linear_time(name: str) -> None:
    start, part = _FILES[name]

    def make(size: int) -> str:
        return (start + part * (size // len(part))).decode("latin-1")

    def read(text: str) -> None:
        with pytest.raises(NotAnImage):
            clean(text.encode("latin-1"))

    growth = measured(read, BYTES["image"], Hostile(name, make))
    assert growth.ratio <= MOST_GROWTH, growth
    # Byte by byte, in Python, is what an image must never be read: that takes as long as this loop, or longer.
    assert growth.seconds[2] < _seconds_byte_by_byte(BYTES["image"]) / 2, growth


def _seconds_byte_by_byte(size: int) -> float:
    started = time.thread_time()
    for _ in range(size // 2):
        pass
    for _ in range(size // 2):
        bytes([0xFF, 0xD0])
    return time.thread_time() - started


@pytest.mark.parametrize("picture", [jpeg(), png(), webp(), gif()], ids=["jpeg", "png", "webp", "gif"])
def test_any_change_of_an_image_gives_an_image_or_says_that_it_is_none(picture: bytes) -> None:
    @settings(max_examples=200)
    @given(st.lists(st.tuples(st.integers(0, len(picture)), st.binary(max_size=4), st.integers(0, 4)), max_size=4))
    def survives(changes: list[tuple[int, bytes, int]]) -> None:
        data = picture
        for place, put, taken in changes:
            data = data[:place] + put + data[place + taken :]
        try:
            image = clean(data)
        except NotAnImage:
            return
        assert clean(image.data) == image

    survives()


@settings(max_examples=300)
@given(st.sampled_from([*_START.values(), b"RIFF\x40\0\0\0WEBP"]), st.binary(max_size=300))
def test_any_bytes_behind_a_signature_are_an_image_or_none(start: bytes, data: bytes) -> None:
    with suppress(NotAnImage):
        clean(start + data)


_TEXTS = [b"\x80", b"\x81a", b"\xe0", b"a", b"\xd0\xb0", b"a\0", b"\0a", b"a\0\0\0", b"\xff", b"\x80\xe0\xe0\xe0", b" "]


@pytest.mark.parametrize("part", _TEXTS, ids=repr)
def test_no_more_of_a_large_text_is_searched_than_is_read(part: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search of all of it is one call of C, in which the event loop stands still although it is in a thread."""
    searched: list[int] = []

    class Noting:
        def __init__(self, pattern: re.Pattern[str]) -> None:
            self.pattern = pattern

        def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
            searched.append(min(len(text), end) - start)
            return self.pattern.search(text, start, end)

        def findall(self, text: str) -> list[str]:
            searched.append(len(text))
            return self.pattern.findall(text)

    for name in ("_CONTROLS", "_RUSSIAN", "_OTHERS_LETTERS"):
        monkeypatch.setattr(texts, name, Noting(getattr(texts, name)))
    with suppress(NotText):
        assert len(decode(part * (BYTES["text"] // len(part)))) > CHARACTERS
    assert max(searched, default=0) < CHARACTERS + 2000


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_text_or_none(data: bytes) -> None:
    with suppress(NotText):
        decode(data)
