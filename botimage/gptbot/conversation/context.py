"""What the model is told: the persona's prompt, the conversation so far, the question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gptbot.llm.types import Message, Role

_UNANSWERED = "asked"
"""Stands for a role: the content is the list of questions that got no answer. The model is not told of them."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """The last questions of a conversation."""

    questions: list[str]
    size: int
    """Messages at the end of the context that are theirs: the questions, and the answer if there is one."""


def last_exchange(context: Sequence[bytes]) -> Exchange | None:
    """The questions that were answered last, or that were to be; None without any."""
    items: list[tuple[str, Any]] = [orjson.loads(item) for item in context]
    if items and items[-1][0] == _UNANSWERED:
        return Exchange(list(items[-1][1]), 1)
    first = len(items)
    while first and items[first - 1][0] == "assistant":
        first -= 1
    end = first
    while first and items[first - 1][0] == "user":
        first -= 1
    return Exchange([content for _, content in items[first:end]], len(items) - first) if first < end else None


def unanswered(questions: Sequence[str]) -> list[bytes]:
    """Questions without an answer as the store keeps them, so that they can be asked again."""
    return [orjson.dumps([_UNANSWERED, list(questions)])]


def remembered(context: Sequence[bytes]) -> list[Message]:
    """The context as the store has it, as messages."""
    messages: list[Message] = []
    for item in context:
        role, content = orjson.loads(item)
        if role == _UNANSWERED:
            continue
        messages.append({"role": role, "content": content})
    return messages


def remember(exchange: Iterable[tuple[Role, str]]) -> list[bytes]:
    """Messages as the store keeps them."""
    return [orjson.dumps(message) for message in exchange]


def prompt(system: str, context: Sequence[bytes], questions: Iterable[str]) -> list[Message]:
    """All of a request's messages, in order."""
    asked: list[Message] = [{"role": "user", "content": question} for question in questions]
    return [{"role": "system", "content": system}, *remembered(context), *asked]
