"""Since when a chat is retold to somebody who does not say it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gptbot.conversation.arguments import Period
from gptbot.conversation.past import USUAL, Past, _chosen
from gptbot.conversation.retelling import BOT, Line


async def since_mine(said: Sequence[tuple[str, str]], *, direct: bool = False) -> Past:
    """What is retold of messages, oldest first, to the speaker `me`."""

    async def newest_first() -> AsyncGenerator[Line]:
        for speaker, text in reversed(said):
            yield Line(speaker, text, 1.0)

    context = cast("Any", SimpleNamespace(direct=direct, speaker="me"))
    return await _chosen(newest_first(), context, Period(mine=True))


@pytest.mark.parametrize(
    ("said", "retold", "part"),
    [
        ([("ann", "1"), ("me", "2"), ("bob", "3"), ("ann", "4")], ["3", "4"], "mine"),
        (
            [("me", "1"), ("ann", "2"), ("me", "a question"), (BOT, "its answer")],
            ["2", "a question", "its answer"],
            "mine",
        ),
        ([("me", "1"), ("me", "2"), ("bob", "3"), ("me", "4"), ("me", "5")], ["3", "4", "5"], "mine"),
        ([("bob", "1"), ("me", "a question"), (BOT, "its answer")], ["1", "a question", "its answer"], "last"),
        ([("bob", str(number)) for number in range(99)], [str(number) for number in range(99 - USUAL, 99)], "last"),
        ([], [], "last"),
    ],
)
async def test_what_was_asked_of_the_bot_begins_nothing(
    said: list[tuple[str, str]], retold: list[str], part: str
) -> None:
    found = await since_mine(said)
    assert ([line.text for line in found.lines], found.part) == (retold, part)


async def test_alone_with_the_bot_all_of_it_is_retold() -> None:
    found = await since_mine([("a", "question"), (BOT, "answer"), ("a", "more"), (BOT, "more of it")], direct=True)
    assert ([line.text for line in found.lines], found.part) == (["question", "answer", "more", "more of it"], "last")
