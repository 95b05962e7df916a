"""Text files in many encodings, and files that only seem to be texts."""

from __future__ import annotations

import random
import zlib

import pytest

from gptbot.files.errors import NotText
from gptbot.files.texts import decode
from gptbot.platforms.kinds import kind_of
from tests.files.pictures import PICTURES_AS_TEXT

RUSSIAN = "Съешь ещё этих мягких французских булок, да выпей чаю. №5 – «да»…"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp1251"]
)
def test_an_encoding_is_found(encoding: str) -> None:
    # Without a mark, the zeros of ASCII letters tell it.
    text = 'print("привет")\n' * 3 if encoding in ("utf-16-le", "utf-16-be") else RUSSIAN
    assert decode(text.encode(encoding)) == text


def test_plain_text_and_colours_of_a_log_are_texts() -> None:
    assert decode(b"") == ""
    assert decode(b"\x1b[31merror\x1b[0m\tat line 3\r\n\x0c") == "\x1b[31merror\x1b[0m\tat line 3\r\n\x0c"


@pytest.mark.parametrize("data", [*PICTURES_AS_TEXT, b"PK\x03\x04\x14\0\0\0", b"\x7fELF\x02\x01\x01" + bytes(9)])
def test_a_binary_file_called_a_text_is_none(data: bytes) -> None:
    with pytest.raises(NotText):
        decode(data)


def test_noise_is_no_text() -> None:
    noise = random.Random(5)
    for size in (20, 200, 2000):
        with pytest.raises(NotText):
            decode(zlib.compress(noise.randbytes(size)))
    with pytest.raises(NotText):
        decode("Größe".encode("latin-1"))


@pytest.mark.parametrize(
    ("mime", "name", "kind"),
    [
        ("image/jpeg", "x.jpg", ("image", "image/jpeg")),
        ("image/heic", "x.heic", ("other", "image/heic")),
        ("image/svg+xml", "x.svg", ("text", "text/xml")),
        ("text/x-python", "a.py", ("text", "text/python")),
        ("text/plain; charset=utf-8", "notes", ("text", "text/plain")),
        ("application/octet-stream", "main.rs", ("text", "text/rust")),
        (None, "Dockerfile", ("text", "text/dockerfile")),
        ("video/mp2t", "app.ts", ("text", "text/typescript")),
        ("video/mp4", "app.ts", ("other", "video/mp4")),
        ("application/json", None, ("text", "text/json")),
        ("audio/x-wav", "a.wav", ("audio", "audio/wav")),
        ("audio/ogg", None, ("audio", "audio/ogg")),
        ("audio/midi", "a.mid", ("other", "audio/midi")),
        ("", "voice.m4a", ("audio", "audio/mp4")),
        ("application/zip", "a.zip", ("other", "application/zip")),
        ("application/pdf", "a.pdf", ("other", "application/pdf")),
        (None, None, ("other", "")),
    ],
)
def test_kinds_of_files(mime: str | None, name: str | None, kind: tuple[str, str]) -> None:
    assert kind_of(mime, name) == kind
