"""What the model is told: the persona's prompt, the conversation so far, the question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from gptbot.llm.types import Message, Role


def remembered(context: Sequence[bytes]) -> list[Message]:
    """The context as the store has it, as messages."""
    messages: list[Message] = []
    for item in context:
        role, content = orjson.loads(item)
        messages.append({"role": role, "content": content})
    return messages


def remember(exchange: Iterable[tuple[Role, str]]) -> list[bytes]:
    """Messages as the store keeps them."""
    return [orjson.dumps(message) for message in exchange]


def prompt(system: str, context: Sequence[bytes], questions: Iterable[str]) -> list[Message]:
    """All of a request's messages, in order."""
    asked: list[Message] = [{"role": "user", "content": question} for question in questions]
    return [{"role": "system", "content": system}, *remembered(context), *asked]
