"""Markdown as models write it, as Discord shows it: nothing is left out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbot.platforms.discord.rendering import RULE, render


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("# One\n## Two\n### Three", "# One\n## Two\n### Three"),
        ("#### Four\n###### Six ##", "**Four**\n**Six**"),
        ("#### **Bold**", "**Bold**"),
        ("#hashtag", "#hashtag"),
        ("**b** *i* ~~s~~ `c` [t](https://e.com)", "**b** *i* ~~s~~ `c` [t](https://e.com)"),
        ("above\n\n---\n\nbelow\n* * *\n___", f"above\n\n{RULE}\n\nbelow\n{RULE}\n{RULE}"),
        ("- one\n+ two\n  + three", "- one\n- two\n  - three"),
        ("![a cat](https://e.com/cat.png)", "[a cat](https://e.com/cat.png)"),
        ('![cat](https://e.com/a_(1).png "Tom") x', "[cat – Tom](https://e.com/a_(1).png) x"),
        ("![](https://e.com/cat.png)", "https://e.com/cat.png"),
        ("`![no](image)` ![yes](https://e.com)", "`![no](image)` [yes](https://e.com)"),
        ("> quoted\n>>> deeper", "> quoted\n> deeper"),
        ("```py\n#### not a heading\n---\n```", "```py\n#### not a heading\n---\n```"),
        ("~~~\ncode\n~~~\nafter", "```\ncode\n```\nafter"),
        ("````md\n```\ninner\n```\n````", "```md\n``\u200b`\ninner\n``\u200b`\n```"),
        ("```py\nstill being written", "```py\nstill being written\n```"),
        ("a || b || c", r"a \|\| b \|\| c"),
        ("`a || b` || c", r"`a || b` \|\| c"),
        (r"\|| a |||", r"\|| a \|\|\|"),
        (r"\`||x||\`", r"\`\|\|x\|\|\`"),
        (r"`a\` || `b||c`", r"`a\` \|\| `b||c`"),
        ("#### a || b\n# c || d", "**a \\|\\| b**\n# c \\|\\| d"),
        ("```\na || b\n```", "```\na || b\n```"),
        ("[l](http://x/||) http://y/a||b", "[l](http://x/%7C%7C) http://y/a%7C%7Cb"),
        ("a\r\nb", "a\nb"),
        ("", ""),
    ],
)
def test_what_discord_lacks_is_put_into_what_it_knows(markdown: str, shown: str) -> None:
    assert render(markdown) == shown


def test_a_table_is_laid_out_in_a_code_block() -> None:
    markdown = (
        "Look:\n\n| Model | Noise | Note |\n|:---|---:|---|\n"
        "| **A1** | 38 dB | `eco` \\| quiet |\n| B22 | 9 dB |\n\nDone."
    )
    assert render(markdown) == (
        "Look:\n\n```\n"
        "Model │ Noise │ Note\n"
        "──────┼───────┼────────────\n"
        "A1    │ 38 dB │ eco | quiet\n"
        "B22   │  9 dB │\n"
        "```\n\nDone."
    )


def test_a_row_that_is_longer_than_its_head_keeps_its_code_whole() -> None:
    shown = render("| a | b |\n|---|---|\n| `x | y` | z |\n| 1 | 2 | 3 |\n| 4 | 5 | | |")
    assert shown.splitlines()[1:-1] == ["a     │ b", "──────┼──────", "x | y │ z", "1     │ 2 | 3", "4     │ 5"]
    head = render("| `x|y` | b |\n|---|---|\n| z | 1 |")
    assert head.splitlines()[1:-1] == ["x|y │ b", "────┼──", "z   │ 1"]


def test_a_table_keeps_links_and_wide_characters() -> None:
    shown = render("名前 | link\n---|---\n猫 | [site](https://e.com)")
    assert shown.splitlines()[1:-1] == ["名前 │ link", "─────┼─────────────────────", "猫   │ site (https://e.com)"]


@pytest.mark.parametrize(
    "text", ["Option A | Option B\n---\nText", "Pay | Win | Lose\n:-|-:\na | b", "a | `b|c`\n---\nd"]
)
def test_a_head_that_is_wider_than_its_delimiters_is_none(text: str) -> None:
    assert "```" not in render(text)


def test_a_pipe_alone_is_no_table() -> None:
    assert render("a | b\nc | d") == "a | b\nc | d"


_words = st.text(st.characters(whitelist_categories=["L", "N"]), min_size=1, max_size=8)
_lines = st.one_of(
    _words, _words.map("#### {}".format), _words.map("| {} | x |".format), st.just("|---|---|"), st.just("```"),
    _words.map("- {}".format), _words.map("> {}".format), st.just("---"), st.just(""), _words.map("![{}](u)".format),
)  # fmt: skip


@given(st.lists(_lines, max_size=12))
def test_no_word_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    words = re.findall(r"[^\W_]+", text)
    shown = re.findall(r"[^\W_]+", render(text))
    assert sorted(words) == sorted(shown)


@given(st.text(max_size=300))
def test_any_text_can_be_rendered_and_no_fence_stays_open(text: str) -> None:
    fences = [line for line in render(text).split("\n") if re.match(r"^ *```[^`]*$", line)]
    assert len(fences) % 2 == 0
