"""Splitting Markdown of every kind: what stays whole, what is repeated, and what growth changes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptbot.delivery.split import pieces, split
from gptbot.platforms.discord.rendering import render


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def rendered(text: str) -> int:
    """As Discord's sender counts."""
    return len(render(text).strip())


LENGTHS: list[Callable[[str], int]] = [len, utf16, rendered]

INLINE = st.sampled_from(
    ["word", "слово", "**bold words**", "`code span`", "[a link](https://example.org/a)", "https://example.org/b", "é",
     "👩\u200d👩\u200d👧\u200d👦", "🇷🇺🇩🇪", "👍🏽", "The end.", "![image](https://example.org/i.png)"]
)  # fmt: skip
LINE = st.lists(INLINE, min_size=1, max_size=12).map(" ".join)
PARAGRAPH = st.lists(LINE, min_size=1, max_size=3).map("\n".join)
HEADING = st.builds("{} {}".format, st.sampled_from(["#", "##", "####"]), INLINE)
CODE = st.builds(
    lambda mark, info, lines: "\n".join([mark + info, *lines, mark]),
    st.sampled_from(["```", "~~~", "````"]),
    st.sampled_from(["", "python", "c++"]),
    st.lists(st.sampled_from(["x = 1", "    return y", "", "| no | table |", "# no heading"]), max_size=30),
)
ITEMS = st.lists(LINE, min_size=1, max_size=8).map(lambda lines: "\n".join(f"- {line}" for line in lines))
CODE_IN_ITEM = CODE.map(lambda code: "1. item\n" + "\n".join(f"   {line}" for line in code.split("\n")))
TABLE = st.lists(st.tuples(INLINE, INLINE), min_size=1, max_size=12).map(
    lambda rows: "\n".join(["| a | b |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])
)
QUOTE = LINE.map(lambda line: f"> {line}")
DOCUMENT = st.lists(
    st.one_of(PARAGRAPH, HEADING, CODE, ITEMS, CODE_IN_ITEM, TABLE, QUOTE), min_size=1, max_size=12
).map("\n\n".join)
ANY = st.one_of(DOCUMENT, DOCUMENT.map(lambda text: text.replace("\n", "\r\n")))


@settings(max_examples=60)
@given(ANY, st.integers(64, 500), st.sampled_from(LENGTHS))
def test_nothing_is_lost_and_no_part_is_too_long(text: str, limit: int, length: Callable[[str], int]) -> None:
    parts = pieces(text, limit, length)
    assert "".join(body for _, body, _ in parts) == text
    assert ["".join(part) for part in parts] == split(text, limit, length)
    for before, body, after in parts:
        assert length(before + body + after) <= limit
        assert re.fullmatch(r"( *(`{3,}|~{3,})[^\n]*\n|\| a \| b \|\n\|---\|---\|\n)?", before)
        assert re.fullmatch(r"(\n? *(`{3,}|~{3,}))?", after)


@settings(max_examples=60)
@given(DOCUMENT, st.integers(100, 500), st.sampled_from([len, utf16]), st.data())
def test_growth_changes_the_last_part_alone(
    text: str, limit: int, length: Callable[[str], int], data: st.DataObject
) -> None:
    shown = split(text[: data.draw(st.integers(1, len(text)))], limit, length)
    assert split(text, limit, length)[: len(shown) - 1] == shown[:-1]


@pytest.mark.parametrize("limit", [64, 65, 99, 200])
def test_emoji_and_accents_stay_whole(limit: int) -> None:
    for whole in ("👩\u200d👩\u200d👧\u200d👦", "🇷🇺", "👍🏽", "e\u0301\u0323", "\r\n", "❤\ufe0f", "1\ufe0f\u20e3"):
        for part in split("x" + whole * 300, limit, utf16):
            assert part.removeprefix("x").replace(whole, "") == "", ascii(whole)


def test_a_table_that_goes_on_has_its_header_again() -> None:
    rows = [f"| {number} | value |\n" for number in range(40)]
    parts = split("Figures:\n\n| n | v |\n|---|---|\n" + "".join(rows) + "\nThat is all.", 150)
    assert len(parts) > 4
    for part in parts[1:-1]:
        assert part.startswith("| n | v |\n|---|---|\n| ")
    assert [line + "\n" for part in parts for line in part.splitlines() if line.endswith("value |")] == rows


def test_an_item_that_fits_is_not_cut() -> None:
    items = [f"- item {number} " + "and more words " * (3 + number % 5) + "\n" for number in range(20)]
    for part in split("".join(items), 200):
        assert part.startswith("- item")
        assert part.endswith("\n")


def test_a_heading_is_not_left_alone() -> None:
    for words in range(5, 60):
        for part in split("word " * words + "\n\n## Title\n\nWhat it is about.\n\n" + "word " * 40, 200)[:-1]:
            assert not part.rstrip().endswith("## Title")


def test_code_in_a_list_is_opened_again_where_it_stood() -> None:
    code = "".join(f"   x{number} = {number}\n" for number in range(30))
    parts = split(f"1. Do this:\n   ```py\n{code}   ```\n2. Done.", 120)
    assert all(part.startswith("   ```py\n") for part in parts[1:-1])
    assert all(part.count("```") % 2 == 0 for part in parts)


@pytest.mark.parametrize(
    "whole", ["[a link](https://example.org/x)", "`some code`", "**bold words**", "https://example.org/a/b"]
)
def test_what_fits_is_not_cut_wherever_it_stands(whole: str) -> None:
    for shift in range(100):
        parts = split("a" * shift + " " + f"{whole} " * 20, 120)
        assert sum(part.count(whole) for part in parts) == 20, shift


def test_time_grows_with_the_text() -> None:
    block = "Words **here**. " * 20 + "\n\n" + "- item\n" * 20 + "\n```py\n" + "x = 1\n" * 40 + "```\n\n"

    def took(times: int) -> float:
        began = time.process_time()
        split(block * times, 2000)
        return time.process_time() - began

    short, long = min(took(50) for _ in range(3)), min(took(400) for _ in range(3))
    assert long < 8 * 3 * short
