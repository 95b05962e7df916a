"""Images lose all that is not the picture, and broken ones are told from whole ones."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbot.files.errors import NotAnImage
from gptbot.files.images import clean
from tests.files.pictures import SECRET, chunk, gif, jpeg, png, riff, webp

PICTURES = {"image/jpeg": jpeg(), "image/png": png(), "image/webp": webp(), "image/gif": gif()}


@pytest.mark.parametrize("mime", PICTURES)
def test_nothing_but_the_picture_is_left(mime: str) -> None:
    image = clean(PICTURES[mime])
    assert image.mime == mime
    for part in (SECRET, SECRET[:12], b"Exif", b"EXIF", b"eXIf", b"XMP", b"xap", b"ICC"):
        assert part not in image.data
    assert clean(image.data) == image, "what is clean stays as it is"


def test_a_jpeg_keeps_what_is_seen() -> None:
    data = clean(jpeg(behind=b"a film " + SECRET)).data
    assert data.startswith(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x02\x01\0\x48\0\x48\0\0")
    assert b"Adobe\0\x64\0\0\0\0\x01" in data
    assert data.count(b"\xff\xda") == 2
    assert b"scan one\xff\x00\xff\xd0more\xff\xda" in data
    assert data.endswith(b"scan two\xff\x00\xff\xd9")


@pytest.mark.parametrize("order", [">", "<"])
def test_a_jpeg_keeps_which_way_is_up_and_nothing_else_of_exif(order: str) -> None:
    data = clean(jpeg(orientation=6, order=order)).data
    _, _, after = data.partition(b"Exif\0\0")
    assert after[:26] == struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    assert SECRET not in data
    assert b"Exif" not in clean(jpeg(orientation=1, order=order)).data


def test_a_png_keeps_its_pixels() -> None:
    data = clean(png()).data
    assert [kind for kind in (b"IHDR", b"gAMA", b"IDAT", b"IEND") if kind in data] == [
        b"IHDR",
        b"gAMA",
        b"IDAT",
        b"IEND",
    ]
    assert data.endswith(chunk(b"IEND", b""))


def test_a_webp_says_no_more_that_it_has_metadata() -> None:
    data = clean(webp(flags=0x3C)).data
    assert data[4:8] == struct.pack("<I", len(data) - 8)
    assert data[12:] == riff(b"VP8X", b"\x10" + bytes(9)) + riff(b"VP8L", b"\x2fpixels")
    with pytest.raises(NotAnImage, match="animated"):
        clean(webp(flags=0x02))


def test_a_gif_keeps_its_first_frame() -> None:
    data = clean(gif()).data
    assert data.count(b"\x2c") == 1
    assert data.endswith(b"\x02\x4c\x01\0\x3b")


@pytest.mark.parametrize("mime", PICTURES)
def test_a_picture_that_is_cut_off_is_none(mime: str) -> None:
    whole = PICTURES[mime]
    end = len(clean(whole).data)
    for length in range(0, end // 2, 3):
        with pytest.raises(NotAnImage):
            clean(whole[:length])


@pytest.mark.parametrize("data", [b"", b"BM" + bytes(60), b"%PDF-1.7", b"\0\0\0\x18ftypheic", b"<svg/>"])
def test_other_formats_are_none(data: bytes) -> None:
    with pytest.raises(NotAnImage, match="neither JPEG"):
        clean(data)


@given(st.sampled_from(list(PICTURES.values())), st.integers(0, 2000), st.binary(max_size=40))
def test_whatever_is_changed_it_is_an_image_or_refused(whole: bytes, place: int, put_in: bytes) -> None:
    changed = whole[:place] + put_in + whole[place + len(put_in) :]
    try:
        image = clean(changed)
    except NotAnImage:
        return
    assert clean(image.data) == image
