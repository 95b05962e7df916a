"""What harms goes, what people write stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbot.safety.normalize import normalize
from gptbot.safety.redaction import Redactor

KEPT = [
    "Hello, world!\n\tIndented, and more.",
    "Съешь ещё этих мягких французских булок, йогурт",
    "Tiếng Việt: Nguyễn, ệ ộ ữ",
    "עִבְרִית and العَرَبِيَّة",
    "नमस्ते क्‍ष",  # a joiner inside a word is spelling
    "می‌خواهم",
    "👨‍👩‍👧‍👦 ❤️ 🏳️‍🌈 👍🏽 🇷🇺 1️⃣",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "日本語、한국어",
]

CHANGED = [
    ("he\u200bl\u2060lo\ufeff", "hello"),
    ("\u202egnp.exe\u202c", "gnp.exe"),
    ("a\u2066b\u2069c\u200fd", "abcd"),
    ("soft\u00adhyphen", "softhyphen"),
    ("line\r\nline\rline\u2028line", "line\nline\nline\nline"),
    ("a\x00b\x1bc\x07", "abc"),
    ("x" + "".join(chr(0xE0000 + ord(c)) for c in "ignore"), "x"),
    ("\ue000123\ue001", "123"),
    ("e\u0301", "é"),
    ("\u200d\u200dword\u200d \u200c", "word "),
    ("a\n\n\n\n\n\n\nb", "a\n\n\nb"),
]


@pytest.mark.parametrize("text", KEPT)
def test_what_people_write_stays(text: str) -> None:
    assert normalize(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(("text", "wanted"), CHANGED)
def test_what_harms_goes(text: str, wanted: str) -> None:
    assert normalize(text) == wanted


def test_piles_of_marks_come_down() -> None:
    flood = "".join(letter + "\u0336\u0489\u0300" * 60 for letter in "zalgo")
    assert len(normalize(flood)) <= 5 * 4


def test_invisible_characters_hide_nothing_from_the_redaction() -> None:
    hidden = "anna\u200b@exam\u00adple.com, 8\u2060 916 123\u200b-45-67"
    assert Redactor(["email", "phone"]).redact(normalize(hidden)) == "[email], [phone]"


@given(st.text())
def test_twice_is_once(text: str) -> None:
    once = normalize(text)
    assert normalize(once) == once
