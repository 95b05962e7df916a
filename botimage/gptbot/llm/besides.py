"""What a model sends besides the text of its answer and is paid for as well: reasoning, calls of tools, the unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

_OF_AN_ANSWER: Final = frozenset(
    {
        "content", "refusal", "reasoning", "reasoning_content", "reasoning_details", "thinking", "tool_calls",
        "function_call",
    }
)  # fmt: skip
"""Fields of a delta in which an answer goes on: OpenAI's, DeepSeek's and vLLM's, OpenRouter's, Ollama's."""
_THOUGHTS: Final = ("reasoning_content", "reasoning", "thinking")
_LABELS: Final = frozenset({"finish_reason", "format", "id", "name", "object", "role", "status", "type"})
"""Fields that say what a text is, and are none themselves while they are short."""
_LABEL: Final = 64
"""Characters of a label."""
_MOST_VALUES: Final = 1000
"""Values that are looked at one by one. A delta that means something has ten."""


def besides(delta: Mapping[str, Any], shown: str, size: int) -> tuple[int, bool]:
    """Characters of text in a delta but for its field `shown`, and whether an answer goes on in any of them.

    What two fields say alike counts once: servers have the reasoning under several names. `size`: bytes that the
    delta may have at most; where there are too many values to look at, all of them count.
    """
    if len(delta) > _MOST_VALUES:
        return size, False
    said: set[str] = set()
    goes_on, known = False, True
    for name, value in delta.items():
        if not value or name == shown or _label(name, value):
            continue
        text, whole = text_in(value)
        known = known and whole
        if text:
            said.add(text)
            goes_on = goes_on or name in _OF_AN_ANSWER
    return sum(map(len, said)) if known else size, goes_on


def thoughts_in(delta: Mapping[str, Any]) -> str:
    """The thoughts that a delta has as the text of a field of their own; nothing where they stand otherwise."""
    return next((text for name in _THOUGHTS if type(text := delta.get(name)) is str and text), "")


def text_in(value: Any) -> tuple[str, bool]:
    """The text in a value of JSON, and whether that is all of it: of very many values only the first are looked at."""
    if type(value) is str:
        return value, True
    found: list[str] = []
    left = [value]
    for _ in range(_MOST_VALUES):
        if not left:
            return "".join(found), True
        item = left.pop()
        if type(item) is str:
            found.append(item)
        elif type(item) is list:
            left += cast("list[Any]", item)
        elif type(item) is dict:
            fields = cast("dict[str, Any]", item)
            if len(fields) > _MOST_VALUES:
                return "".join(found), False
            left += [each for name, each in fields.items() if not _label(name, each)]
            found += [name for name in fields if len(name) > _LABEL]
    return "".join(found), not left


def _label(name: str, value: Any) -> bool:
    return name in _LABELS and type(value) is str and len(value) <= _LABEL
