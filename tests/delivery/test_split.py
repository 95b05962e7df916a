"""Splitting: nothing is lost, no part is too long, fences stay whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptbot.delivery.split import close_fence, split

FAMILY = "👩\u200d👩\u200d👧\u200d👦"


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


WORDS = st.sampled_from(
    [
        "word ", "two words ", "\n", "\n\n", "- item\n", "1. item\n", "| a | b |\n", "[link](https://example.org/a/b) ",
        FAMILY, "🇷🇺", "é", "https://example.org/long/path ", "`code span` ", "x" * 70, "слово ", "**bold** ",
        "    indented\n", "# Title\n",
    ]
)  # fmt: skip
PLAIN = st.lists(WORDS, max_size=120).map("".join)
FENCED = st.lists(
    st.one_of(WORDS, st.sampled_from(["```python\n", "```\n", "\n```\n", "~~~\n", "````md\n", "````\n"])), max_size=120
).map("".join)


@settings(max_examples=300)
@given(PLAIN, st.integers(64, 400))
def test_parts_joined_are_the_text(text: str, limit: int) -> None:
    parts = split(text, limit, utf16)
    assert "".join(parts) == text
    assert all(utf16(part) <= limit for part in parts)


@settings(max_examples=300)
@given(FENCED, st.integers(64, 400))
def test_with_fences_only_fence_lines_are_added(text: str, limit: int) -> None:
    parts = split(text, limit, utf16)
    assert all(utf16(part) <= limit for part in parts)
    assert bare("".join(parts)) == bare(text)


def bare(text: str) -> str:
    """The text without white space and without what fence lines are made of."""
    return re.sub(r"[`~\s]|python|md", "", re.sub(r"[`~\s]", "", text))


@settings(max_examples=200)
@given(st.text(max_size=600), st.integers(64, 200))
def test_any_text_survives(text: str, limit: int) -> None:
    parts = split(text, limit, utf16)
    assert all(utf16(part) <= limit for part in parts)
    if not re.search(r"[`~]{3}", text):
        assert "".join(parts) == text


def test_a_cut_fence_is_closed_and_opened_again() -> None:
    code = "".join(f"line_{number} = {number}\n" for number in range(20))
    parts = split(f"Look:\n```python\n{code}```\nDone.", 100)
    assert len(parts) > 2
    for part in parts:
        assert part.count("```") % 2 == 0, part
    assert all(part.startswith("```python\n") for part in parts[1:-1])
    kept = [line for part in parts for line in part.splitlines() if line.startswith("line_")]
    assert kept == code.splitlines()


def test_cuts_are_made_where_a_reader_pauses() -> None:
    text = "First sentence here. Second sentence here.\n\n" + "A second paragraph that goes on for a while. " * 3
    assert split(text, 100)[0] == "First sentence here. Second sentence here.\n\n"


def test_a_link_is_not_cut() -> None:
    text = "word " * 15 + "[a link](https://example.org/some/where/far/away) and more words " * 3
    for part in split(text, 100):
        assert part.count("[") == part.count(")") == part.count("](")


def test_a_family_is_not_torn_apart() -> None:
    for part in split(FAMILY * 40, 64, utf16):
        assert part.replace(FAMILY, "") == ""


def test_a_limit_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="64"):
        split("x", 10)


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("plain", "plain"),
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("~~~~\nx\n", "~~~~\nx\n~~~~"),
        ("```\nx\n```", "```\nx\n```"),
        ("```\nx\n```\nand\n```", "```\nx\n```\nand\n```\n```"),
    ],
)
def test_an_open_fence_is_closed(text: str, closed: str) -> None:
    assert close_fence(text) == closed
