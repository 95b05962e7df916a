"""A question as the context keeps it: which message it was, and where in it stands what its author may still edit.

An entry of a context is `[ROLE, CONTENT]`, or `[ROLE, CONTENT, MARK]` where the content is a question that may be
edited; of questions without an answer, content and marks are lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

import orjson

UNANSWERED = "asked"
"""Stands for a role: the content is the list of questions that got no answer. The model is not told of them."""
_PARTS_OF_A_MARK = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the names, quotes and files around what was said."""

    text: str
    event: str = ""
    """Pseudonym of the message's event; empty: it cannot be edited."""
    start: int = 0
    """Where in the text what was said begins, in characters."""
    length: int = 0
    indent: str = ""
    """What further lines of what was said begin with."""

    def grown(self, text: str) -> Asked:
        """The question as a text that goes on where it ended, without the space around it."""
        lead, end = len(self.text) - len(self.text.lstrip()), len(self.text.rstrip())
        start = max(min(self.start, end) - lead, 0)
        return replace(self, text=text, start=start, length=max(min(self.start + self.length, end) - lead - start, 0))

    def edited(self, said: str) -> Asked:
        """The question with something else said in it."""
        said = f"\n{self.indent}".join(said.strip().splitlines())
        before, after = self.text[: self.start].rstrip(), self.text[self.start + self.length :].strip("\n")
        gap = " " if self.indent and "\n" not in before else f"\n\n{self.indent}"
        lead = f"{before}{gap}" if before and said else before
        text = "\n\n".join(filter(None, (lead + said, after)))
        return replace(self, text=text, start=len(lead), length=len(said))

    @property
    def said(self) -> str:
        """What its author said."""
        return "\n".join(self.text[self.start : self.start + self.length].split(f"\n{self.indent}"))

    @property
    def mark(self) -> list[Any] | None:
        """The third element of its entry."""
        return [self.event, self.start, self.length, self.indent] if self.event else None

    def encode(self) -> bytes:
        """As an entry of a context that was answered."""
        return orjson.dumps(["user", self.text, self.mark] if self.event else ["user", self.text])


def asked(text: Any, mark: Any = None) -> Asked:
    """A question of a context, by text and mark. Raises ValueError where one of them is none of ours."""
    if not isinstance(text, str):
        raise ValueError("a question is no text")
    if mark is None:
        return Asked(text)
    if not isinstance(mark, list) or len(parts := cast("list[Any]", mark)) != _PARTS_OF_A_MARK:
        raise ValueError("not the mark of a question")
    event, start, length, indent = parts
    if not isinstance(event, str) or not isinstance(indent, str) or type(start) is not int or type(length) is not int:
        raise ValueError("a mark of a question is of a wrong type")
    if not 0 <= start <= start + length <= len(text):
        raise ValueError("the mark of a question points outside of it")
    return Asked(text, event, start, length, indent)


def encode_unanswered(questions: Sequence[Asked]) -> bytes:
    """Questions without an answer as an entry of a context."""
    texts = [question.text for question in questions]
    marks = [question.mark for question in questions]
    return orjson.dumps([UNANSWERED, texts, marks] if any(marks) else [UNANSWERED, texts])


def questions_of(item: bytes) -> list[Asked]:
    """The questions in an entry of a context as the store has it; none where it cannot be read, or are none."""
    with suppress(ValueError):
        return questions_in(orjson.loads(item))
    return []


def questions_in(entry: Any) -> list[Asked]:
    """The questions in an entry of a context; none where it has something else."""
    with suppress(ValueError, TypeError):  # a mark of another version
        match entry:
            case ["user", str(text), *mark] if len(mark) <= 1:
                return [asked(text, *mark)]
            case [role, [*texts], *marks] if role == UNANSWERED and len(marks) <= 1:
                return [asked(text, mark) for text, mark in zip(texts, *marks or [[None] * len(texts)], strict=True)]
            case _:
                pass
    return []


def said_in(context: Iterable[bytes]) -> dict[str, str]:
    """What was said, by event, in those questions of a context that can be edited."""
    return {question.event: question.said for item in context for question in questions_of(item) if question.event}


def amended(item: bytes, edits: Mapping[str, str]) -> bytes:
    """An entry of a context with the new words, by event, of questions that were edited since."""
    before = questions_of(item)
    after = [question.edited(edits[question.event]) if question.event in edits else question for question in before]
    if after == before:
        return item
    return after[0].encode() if item.startswith(b'["user"') else encode_unanswered(after)
