"""Markdown to text and entities: nothing that was written may vanish."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gptbot.platforms.telegram.limits import MAX_LENGTH
from gptbot.platforms.telegram.rendering import Entity, Rendered, render, rich
from tests.fakes.telegram.text import fit, utf16_length


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("use List<String> here", "use List<String> here"),
        ("<div>\nhello\n</div>", "<div>\nhello\n</div>"),
        ("a <!-- c --> b", "a <!-- c --> b"),
        ("a || b || c", "a || b || c"),
        ("a|||b||||c", "a|||b||||c"),
        ("`a || b || c` d || e || f", "a || b || c d || e || f"),
        ("```\na || b || <c>\n```", "a || b || <c>"),
        ("| a || b |\n|---|---|---|\n| 1 || 2 |", "a |  | b\n--+--+--\n1 |  | 2"),
        ("| a | b |\n|---|---|\n| `x | y` | z |\n", "a     | b\n------+--\nx | y | z"),
        ("| a | b |\n|---|---|\n| 1 | 2 | 3 | 4 |\n", "a | b        \n--+----------\n1 | 2 | 3 | 4"),
        ("> | a | b |\n> |---|---|\n> | `x || y` | z |\n", "a      | b\n-------+--\nx || y | z"),
        ("| a | b |\n|---|---|\n| 1 | 2 | | |\n", "a | b\n--+--\n1 | 2"),
        (
            "Area:\n\n| a | b |\n|---|---|\n| x | $a^2$ |\n| $$y$$ | z |",
            "Area:\n\na     | b    \n------+------\nx     | $a^2$\n$$y$$ | z",
        ),
        ("| a | b |\n|---|---|\n| \\(\\pi r^2\\) | $x`y$ |", "a      | b    \n-------+------\n$π r²$ | $x`y$"),
        ("| a | b |\n|---|---|\n| $x$$y$ | $|z|$ |", "a      | b    \n-------+------\n$x$$y$ | $|z|$"),
        ("# Title\n\n- one\n- two", "Title\n\n• one\n• two"),
        ("**unfinished", "**unfinished"),
        ("[text](http://unfin", "[text](http://unfin"),
        ("```py\nunfinished", "unfinished"),
        ("```", "```"),
        ("text\n```only words behind", "text\n```only words behind"),
        ("[x]: http://only.a.definition", "[x]: http://only.a.definition"),
        ("costs $5 and $6", "costs $5 and $6"),
        ("one\n\ntwo", "one\n\ntwo"),
    ],
)
def test_what_is_shown(markdown: str, shown: str) -> None:
    assert render(markdown).text == shown


@pytest.mark.parametrize(
    ("markdown", "shown", "bold"),
    [
        ("**注意：**正文", "注意：正文", ["注意："]),
        ("😀含**「重点」**内容 **강조(중요)**는", "😀含「重点」内容 강조(중요)는", ["「重点」", "강조(중요)"]),
        ("a**「b」**c `**注：**正`", "a「b」c **注：**正", ["「b」"]),
    ],
)
def test_emphasis_stands_beside_scripts_without_spaces(markdown: str, shown: str, bold: list[str]) -> None:
    rendered = render(markdown)
    assert rendered.text == shown
    assert [covered(rendered, entity) for entity in rendered.entities if entity["type"] == "bold"] == bold


def covered(rendered: Rendered, entity: Entity) -> str:
    units = rendered.text.encode("utf-16-le")
    return units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


@pytest.mark.parametrize("row", ["| `ps aux | grep x` | lists |", "| a | b | c |"])
def test_a_server_loses_nothing_of_a_row_that_is_longer_than_its_head(row: str) -> None:
    """What the server parses has as many cells in the row as in the head (GFM, section 4.10)."""
    *_, sent = rich(f"| one | two |\n|---|---|\n{row}")["markdown"].splitlines()
    assert sent.replace("\\|", "|") == row
    assert len(re.findall(r"(?<!\\)\|", sent)) == 3


def test_code_keeps_its_language() -> None:
    assert render("```py\nx = 1\n```").entities == [{"type": "pre", "offset": 0, "length": 5, "language": "py"}]


def test_longer_than_allowed_when_rendered() -> None:
    markdown = "![i](http://a.b)" * 240 + "x" * 200
    assert utf16_length(markdown) <= MAX_LENGTH
    assert utf16_length(render(markdown).text) <= MAX_LENGTH


pieces = st.sampled_from(
    ["**", "*", "_", "`", "```", "\n", "||", "|", "<", "<b>", "</div>", "> ", "# ", "- ", "1. ", "[", "](", ")", "http://a.b",
     "~~", "$", "\\", "😀", "word", " ", "|---|", "\t", "&amp;", "!", "привет", "\\(", "\\)", "\\frac{1}{2}",
     "注：", "「"]
)  # fmt: skip


@settings(max_examples=300)
@example(["|", "||", "\n", "|---|"])
@given(st.lists(pieces, max_size=30))
def test_telegram_takes_whatever_comes_out(parts: list[str]) -> None:
    """The fake's own checks hold for every output, and text that is not blank does not become so."""
    markdown = "".join(parts)
    rendered = render(markdown)
    text, _ = fit(rendered.text, rendered.entities)
    assert bool(text) == bool(markdown.strip())


def test_workers_load_nothing_heavy() -> None:
    """The platform and its sender must not bring aiogram in, and the renderer comes with the first text."""
    program = (
        "import sys; from gptbot.platforms.telegram import PLATFORM; import gptbot.platforms.telegram.sender; "
        "print([m for m in ('aiogram', 'telegramify_markdown', 'starlette', 'openai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_platform_alone_loads_no_http_client() -> None:
    program = (
        "import sys; from gptbot.platforms.telegram import PLATFORM; "
        "print(PLATFORM.name, [m for m in ('aiogram', 'aiohttp', 'pydantic', 'redis') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "telegram []"
