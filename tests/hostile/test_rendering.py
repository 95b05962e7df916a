"""A model's answer, whatever it is, is rendered, split and closed in time that grows with its length, and whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from gptbot.delivery.split import Splitter, close_fence_at_leisure, pieces
from gptbot.llm.answer import MAX_TEXT
from gptbot.platforms import markdown
from gptbot.platforms.discord import rendering as discord
from gptbot.platforms.discord.limits import MAX_CONTENT
from gptbot.platforms.markdown import Unrenderable
from gptbot.platforms.telegram import rendering as telegram
from gptbot.platforms.telegram.limits import MAX_LENGTH, RICH_MAX_LENGTH
from gptbot.platforms.web import page
from gptbot.platforms.web.entries import Entry
from gptbot.platforms.web.live import LiveMessage
from gptbot.platforms.web.markdown import completed, render, rendered, split_last_block
from gptbot.platforms.web.sender import WebSender
from tests.hostile.growth import least

STALL = 0.05
"""Seconds of CPU that one call may take on the loop; a busy machine is given twice as much below."""

REPEATED = [
    "<p>\n", "http://a.a", "http://a.a ", "http://a)", "a.ru ", "a@", "![", "[", "](", "[a](", "*a_", "*a **b ",
    "**a ", "`", "``a`", "<!--", "<![CDATA[", "<?", "<a b='", "&", "&amp;", "|", "a||", "- ", "> ", "- > ", "1. ",
    "\t", "\n", "a\n=\n", "[a]: b\n", "~~a", "\\", "```\n", "```a\n```\n```\n```d\n```\n", "- \n", "\n\n- a",
    "# a\n", "#### ", "![](<", "![a](b 'x", "$<a$", "🇦", "\\(", "\\(x^2\\) ", "$$x^2$$\n", "\\[", "$$x\n",
    "**注：**正", "**「", "||", "|| http://a.a",
]  # fmt: skip


def hostile(length: int) -> dict[str, str]:
    """Texts of a length, by what they are."""
    texts = {piece: (piece * (length // len(piece) + 1))[:length] for piece in REPEATED}
    return texts | {
        "distinct runs of backticks": " ".join("`" * run for run in range(1, int((2 * length) ** 0.5)))[:length],
        "a wide table": ("|a" * (length // 6) + "\n" + "|-" * (length // 6) + "\n" + "x\n" * (length // 6))[:length],
        "a table of empty rows": f"{'|a' * (length // 8)}|\n{'|-' * (length // 8)}|\n" + "|\n" * (length // 4),
        "a table of rows that are too long": "|a|b|\n|-|-|\n" + "|`c|d`|e|\n" * (length // 10),
        "a row of too many cells": "|a|b|\n|-|-|\n" + ("|`c|d`" * (length // 6))[: length - 14],
        "deep quote": ("> " * (length // 4) + "a" + "\na" * (length // 4))[:length],
        "deep list": ("- " * (length // 4) + "a\n" + "b\n" * (length // 4))[:length],
        "nested list": "\n".join("  " * depth + "- a" for depth in range(int(length**0.5)))[:length],
        "emphasis in emphasis": "*a" * (length // 3) + "*" * (length // 3),
        "brackets, then empty lines": "[" * (length - 9) + "\n" * 8 + "a",
        "tildes and a backtick": "~" * (length - 1) + "`",
        "a deep heading of spaces": "#### " + " " * (length - 6) + "x",
        "a delimiter row of spaces": "|a\n-" + " " * (length - 5) + "x",
        "a reference to a long address": f"[a]: /{'u' * (length // 2)}\n\n" + "[a]" * (length // 6),
    }


@pytest.mark.parametrize("text", ["{}", "`{}`", "{}&", "[a](http://a.b/{})", "http://a.b/{}", "![a](http://a.b/{})"])
def test_signs_that_nh3_is_slow_to_write_cost_no_more_than_others(text: str) -> None:
    def cost(sign: str) -> float:
        return least(lambda: render(text.format(sign * 30_000)))

    assert cost("±") < 3 * cost("é") + 0.005, "they took 17 ms more, and four times that at twice the length"
    assert least(lambda: render("& " * 15_900)) < 0.05
    assert "±±" in render("«±±»")
    assert "%C2%B1" in render("[a](http://a.b/±)")
    long = "«Да» & ±\n" * 4000
    assert render(long).count("«Да» &amp; ±") == 4000


def rich(text: str) -> str:
    try:
        return telegram.rich(text)["markdown"]
    except Unrenderable:  # then it is sent as text
        return text


def live(text: str) -> str:
    message = LiveMessage()
    message.update(text)
    return "".join(message.blocks) + message.tail


def cut(text: str) -> str:
    """In two parts, or some more."""
    return "".join(map("".join, pieces(text, max(64, len(text) * 2 // 3))))


LONGEST = WebSender.max_length
SIZES: dict[str, tuple[Callable[[str], str], int, float]] = {
    "web render": (render, LONGEST, 25),
    "web live": (live, LONGEST, 25),
    "web completed": (completed, LONGEST, 2),
    "web split_last_block": (lambda text: "".join(split_last_block(text)), LONGEST, 1),
    "telegram render": (lambda text: telegram.render(text).text, MAX_LENGTH, 4),
    "telegram rich": (rich, RICH_MAX_LENGTH, 2),
    "discord render": (discord.render, MAX_CONTENT, 5),
    "split": (cut, LONGEST, 3),
}
"""What is called, the longest text it gets, and how many times as long what it gives may be."""


@pytest.mark.parametrize("name", SIZES)
def test_the_largest_text_takes_little_time_and_grows_no_further(name: str) -> None:
    call, largest, grown = SIZES[name]
    call("a")  # loads what it needs
    for what, text in hostile(largest).items():
        assert least(partial(call, text), 8, STALL) <= 2 * STALL, f"{name}: {what}"
        assert len(call(text)) <= grown * len(text) + 4000, f"{name}: {what}"


@pytest.mark.parametrize("name", SIZES)
def test_time_is_linear(name: str) -> None:
    call, largest, _ = SIZES[name]
    call("a")
    quarter, half, whole = (hostile(size) for size in (largest // 4, largest // 2, largest))
    for what in whole:
        small = 0.004  # seconds: below it, other things than the text count
        short, middle = (least(partial(call, text[what]), 2) for text in (quarter, half))
        allowed = 3 * max(4 * short, 2 * middle, small)
        assert least(partial(call, whole[what]), 8, allowed) <= allowed, f"{name}: {what}"


def test_nothing_of_an_answer_is_lost_where_it_costs_too_much() -> None:
    for text in ("**first** block\n\n" + "- \n" * 10_000 + "- the last word", "x" * 50_000 + "**the last word**"):
        assert "the last word" in render(text)
    words = "*a* [b](http://c.d) " * 3000 + "<b>the end</b>"
    assert "&lt;b&gt;the end&lt;/b&gt;" in render(words)


def test_deep_containers_keep_their_words() -> None:
    for piece in ("> ", "- ", "1. ", "> - "):
        html = render(piece * 10_000 + "the word")
        assert "the word" in html
        assert html.count("<blockquote>") + html.count("<ul>") + html.count("<ol>") <= 40


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_a_deep_fence_does_not_take_the_room_of_its_text(fence: str) -> None:
    text = "- a\n" + " " * 1900 + fence + "\n" + "x = 1\n" * 5000
    assert len(pieces(text, 2000)) < 40


async def test_a_growing_answer_is_split_once() -> None:
    """The characters looked at over a whole answer of the largest length are a small multiple of it."""
    seen = 0

    def length(text: str) -> int:
        nonlocal seen
        seen += len(text)
        return len(text)

    splitter = Splitter(2000, length)
    text = "Some words. " * (MAX_TEXT // 10 // 12)
    for end in range(0, len(text), 500):
        parts = await splitter.split(text[:end])
        assert "".join(parts) == text[:end]
    assert seen < 60 * len(text)


async def test_other_tasks_run_while_a_long_answer_is_split_or_closed() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    try:
        text = "```\n" + "a\n" * 100_000
        closed = await close_fence_at_leisure(text)
        assert closed.endswith("a\n```")
        assert turns > 20
        turns = 0
        await Splitter(2000).split(text)
        assert turns > 50
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_long_last_block_is_not_rendered_at_each_update() -> None:
    text = "- item **bold**\n" * 2000
    message = LiveMessage()
    states: set[str] = set()
    for end in range(100, len(text), 100):
        message.update(text[:end])
        states.add(message.tail)
    assert len(states) < 150
    message.update("another")
    assert message.tail == '<p dir="auto">another</p>\n'


def test_finished_messages_are_rendered_once_and_a_page_has_so_many() -> None:
    assert rendered("**once** more") is rendered("**once** more")
    entries = [Entry(f"{number}-0", "bot", str(number), "x" * 30_000) for number in range(1, 201)]
    shown = page.recent(entries)
    assert shown[-1] is entries[-1]
    assert sum(len(entry.text) for entry in shown) <= page.MOST_SHOWN
    assert page.recent(entries[:2]) == entries[:2]
    assert page.recent([Entry("1-0", "bot", "1", "x" * 600_000)])


def test_a_line_that_may_go_on_is_no_block_that_is_done() -> None:
    assert split_last_block("words\n\n| a | b |\n|---|---|\n|") == ("words\n\n", "| a | b |\n|---|---|\n|")


def test_what_fences_hide_is_escaped() -> None:
    assert telegram.render("<p>\n" * 50 + "end").text.count("<p>") == 50
    assert telegram.rich("`List<int>` and List<int>")["markdown"] == r"`List<int>` and List\<int>"


@pytest.mark.parametrize("part", ["#\n", "x\n#\n", "# a\n", "> a\n\n", "a\n\n", "|a|b|\n|-|-|\n|c|d|\n\n"])
def test_an_update_of_a_growing_message_takes_no_more_than_two_budgets(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To find its last block and to render it: 20,000 events of the parser, which take 40 ms."""
    taken = 0
    events = markdown.Budget.events

    def counting(budget: markdown.Budget, text: str, options: Any) -> Iterator[markdown.Event]:
        nonlocal taken
        for event in events(budget, text, options):
            taken += 1
            yield event

    monkeypatch.setattr(markdown.Budget, "events", counting)
    message = LiveMessage()
    message.update(part * (32_768 // len(part)))
    assert 5_000 < taken <= 20_000
    assert message.blocks or message.tail
