"""An answer put together from the chunks of the Chat Completions API, or from its one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

import orjson

from gptbot.llm.besides import besides, text_in, thoughts_in
from gptbot.llm.classify import from_body
from gptbot.llm.errors import BadStream, EmptyAnswer, ModelError, NoText, Refused
from gptbot.llm.loops import Loops, without_repeats
from gptbot.llm.thoughts import Thoughts, end_of_unopened
from gptbot.llm.types import Completion, Endpoint, Usage
from gptbot.llm.words import CALLS, FILTERED, LENGTH, LOOP, OUT_OF_ROOM, ending, text_of

MAX_TEXT = 1_000_000
"""Characters an answer may have: more is a model that has lost its end."""

MOST_TOKENS = 20_000_000
"""Tokens a request may have cost, question or answer: twice the largest `contextWindow`. More is no count."""


_MOST_ODD = 128 * 1024
"""Bytes of a chunk that is read in spite of what is wrong with it."""


class Answer:
    """Takes in chunks and hands out new text. Only the first choice counts; reasoning is not part of the text.

    Neither is reasoning that the server leaves at the beginning of the text (`thoughts.py`).
    """

    __slots__ = (
        "_endpoint",
        "_found",
        "_half",
        "_length",
        "_loops",
        "_misnamed",
        "_most",
        "_odd",
        "_parts",
        "_period",
        "_thinking",
        "_thoughts",
        "besides",
        "done",
        "ended",
        "error",
        "finish_reason",
        "moved",
        "usage",
    )

    def __init__(self, endpoint: Endpoint, *, begun: bool = False, most: int = MAX_TEXT) -> None:
        """`begun`: thoughts of this endpoint begin in its prompt, and only their end is in an answer.

        `most`: characters of text after which an answer that comes piece by piece is ended.
        """
        self._endpoint = endpoint
        self._most = most
        self._loops = Loops()
        """Of the text, with the thoughts in it."""
        self._period = 0
        """Length of the piece that the text repeats without end."""
        self._thinking: Loops | None = None
        """The same of thoughts in a field of their own."""
        self._thoughts: Thoughts | None = Thoughts(begun=begun)
        """The filter, until no more is to be left out."""
        self._parts: list[str] = []
        self._length = 0
        self._found = False
        """Whether thoughts ended whose opening was not there."""
        self._misnamed = False
        self._odd = False
        self._half = ""
        self.finish_reason: str | None = None
        self.usage: Any = None
        """As the API sends it, which may be anything."""
        self.moved = False
        """Whether something came that the answer is made of: text, reasoning, a call of a tool, its end."""
        self.besides = 0
        """Characters of all else that was sent, reasoning above all: it is paid for as well."""
        self.done = False
        """Whether `[DONE]` came."""
        self.ended: str | None = None
        """Why it is ended here and now, as a `finish_reason`: it repeats itself, or is as long as it may be."""
        self.error: ModelError | None = None
        """What ended it before its end."""

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self._parts)

    def feed(self, events: Iterable[bytes]) -> str:
        """Take in the data of events and return the text that is new.

        What is wrong with an event stands in `error` then: the text before it, which came with it, is not lost.
        """
        new: list[str] = []
        try:
            for data in events:
                if self.ended is not None:
                    break
                if data.startswith(b"[DONE]"):
                    self.done = True
                    break
                if piece := self._chunk(data):
                    new.append(piece)
        except ModelError as error:
            self.error = error
        return self._add("".join(new)) if new else ""

    def feed_object(self, body: bytes) -> str:
        """Take in an answer that comes in one piece, and return its text. Raises ModelError."""
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            answer = self._odd_json(body)
        if type(answer) is not dict or not (answer.get("choices") or answer.get("error")):
            raise BadStream(f"{self._endpoint.model} answered with JSON that is no chat completion")
        try:
            self.done = True
            text = self._piece(answer, "message", len(body))
        except (AttributeError, TypeError, KeyError):
            raise BadStream(f"{self._endpoint.model} answered with JSON of an unknown shape") from None
        text = self._add(text) if text else ""
        if self.error is not None:
            raise self.error
        return text

    @property
    def characters(self) -> int:
        """Length of all that came, reasoning included."""
        return self._length + self.besides + (self._thoughts.hidden if self._thoughts is not None else 0)

    def counted(self) -> Usage | None:
        """What the API counted; None if it did not, or what it says cannot be."""
        found = read_usage(self.usage, "prompt_tokens", "completion_tokens")
        return None if found is None or (self.characters and not found.completion) else found

    def completion(self) -> Completion:
        """The whole. Raises Refused or EmptyAnswer when there is no text, BadStream when the end is missing."""
        endpoint = self._endpoint
        if self._half:
            self._half, self._odd = "", False
            self._add("\ufffd")
        text, unopened = self._without_thoughts()
        if self._period:
            text = without_repeats(text, self._period)
        if not self.done and self.finish_reason is None and self.ended is None:
            raise BadStream(f"{endpoint.model} broke off before the end of its answer")
        if not text.strip():
            raise self._nothing()
        usage = self.counted()
        return Completion(
            text=text,
            finish_reason=self.ended or self.finish_reason,
            prompt_tokens=None if usage is None else usage.prompt,
            completion_tokens=None if usage is None else usage.completion,
            model=endpoint.model,
            unopened_thoughts=unopened,
        )

    def _nothing(self) -> ModelError:
        """Why there is no text."""
        model, reason = self._endpoint.model, (self.finish_reason or "").lower()
        if reason in FILTERED:
            return Refused(f"the content filter of {model} kept back its answer")
        said = f"{model} answered without a word (finish_reason {ending(self.finish_reason)})"
        if reason in OUT_OF_ROOM:
            return NoText(
                f"{said}: it had no room for one; if it reasons, raise max_tokens or max_completion_tokens in "
                "spec.llm.parameters"
            )
        return NoText(f"{said}: it calls a tool, and was offered none") if reason in CALLS else EmptyAnswer(said)

    def _without_thoughts(self) -> tuple[str, bool]:
        """The whole text, and whether thoughts came before it whose beginning did not."""
        if (thoughts := self._thoughts) is not None:
            self._parts.append(thoughts.end(cut=(self.finish_reason or "").lower() in OUT_OF_ROOM))
            self.besides += thoughts.hidden
            self._found, self._thoughts = thoughts.found, None
        text, found = self.text, self._found
        if found or (start := end_of_unopened(text)) is None:
            return text, found
        return text[start:], True

    def _add(self, text: str) -> str:
        if self._odd:
            text = self._mend(self._half + text)
        period = self._loops.feed(text)
        if self._thoughts is not None:
            text = self._outspoken(self._thoughts, text)
        self._parts.append(text)
        self._length += len(text)
        if self._length > MAX_TEXT:
            raise BadStream(f"{self._endpoint.model} answers without end: stopped after {MAX_TEXT} characters")
        if period:
            if not self._length:
                self.error = self._circles()
                return text
            self._period, self.ended = period, LOOP
        elif self._length > self._most and not self.done:
            self.ended = LENGTH
        return text

    def _circles(self) -> ModelError:
        return NoText(f"{self._endpoint.model} repeats itself in its thoughts without end, and was stopped")

    def _outspoken(self, thoughts: Thoughts, text: str) -> str:
        text = thoughts.feed(text)
        if thoughts.hidden > MAX_TEXT:
            raise BadStream(f"{self._endpoint.model} thinks without end: stopped after {MAX_TEXT} characters")
        if thoughts.over:
            self._found = thoughts.found
            self.besides += thoughts.hidden
            self._thoughts = None
        return text

    def _chunk(self, data: bytes) -> str:
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            chunk = self._odd_json(data)
        if type(chunk) is not dict:
            raise BadStream(f"{self._endpoint.model} sent a chunk that is not a JSON object")
        try:
            return self._piece(chunk, "delta", len(data))
        except (AttributeError, TypeError, KeyError):
            raise BadStream(f"{self._endpoint.model} sent a chunk of an unknown shape") from None

    def _piece(self, chunk: dict[str, Any], where: str, size: int) -> str:
        """The text in one chunk (`delta`) or object (`message`), which has so many bytes."""
        if usage := chunk.get("usage"):  # in the last chunk, whose `choices` is empty; some send it in each
            self.usage = usage
        choices = chunk.get("choices")
        if not choices:
            if error := chunk.get("error") or _error_itself(chunk):
                raise from_body(self._endpoint, error)
            return ""
        choice = choices[0]
        if choice.get("index"):
            self._pay_for(choices, size)
            return ""
        if len(choices) > 1:
            self._pay_for(choices[1:], size)
        if reason := choice.get("finish_reason"):
            self.moved = self.moved or self.finish_reason is None
            self.finish_reason = text_of(reason, 64) or "other"
            if reason == "error":  # OpenRouter
                raise from_body(self._endpoint, choice.get("error") or chunk.get("error"))
        delta = choice.get(where) or self._in_place_of(where, choice)
        if not delta:
            return ""
        shown = "content" if delta.get("content") else "refusal"
        content = delta.get(shown) or ""
        if type(content) is list:
            content = self._text_of_parts(cast("list[Any]", content), size)
        elif type(content) is not str:
            raise TypeError
        if content:
            self.moved = True
        if len(delta) > 1 or not content:  # seldom: a delta mostly has its text and nothing else
            self._think(thoughts_in(delta))
            more, goes_on = besides(delta, shown, size)
            self.besides += more
            self.moved = self.moved or goes_on
        return content

    def _think(self, thoughts: str) -> None:
        """Take in thoughts in a field of their own. Raises NoText when they go in a circle, and nothing was said."""
        if not thoughts or self._length:
            return
        self._thinking = self._thinking or Loops()
        if self._thinking.feed(thoughts):
            raise self._circles()

    def _in_place_of(self, where: str, choice: dict[str, Any]) -> Any:
        """What stands under `message` in a stream, or `delta` in an object. A message behind deltas is nothing new."""
        other = choice.get("message" if where == "delta" else "delta")
        if other and not self._length:
            self._misnamed = True
        return other if self._misnamed else None

    def _text_of_parts(self, parts: list[Any], size: int) -> str:
        """The text in a content of several parts: reasoning comes as parts of another type."""
        text = "".join(part.get("text") or "" for part in parts if part.get("type") == "text")
        self.moved = self._pay_for(parts, size, len(text)) or self.moved
        return text

    def _pay_for(self, value: Any, size: int, shown: int = 0) -> bool:
        """Count the text in a value but for `shown` characters of it. False: there is none at all."""
        text, whole = text_in(value)
        self.besides += max(0, (len(text) if whole else size) - shown)
        return bool(text)

    def _odd_json(self, data: bytes) -> Any:
        # json takes what orjson is right to refuse: NaN, and half of a surrogate pair, the rest in the next chunk. It
        # takes longer, and nothing that is meant so is long.
        self._odd = True
        try:
            return json.loads(data[:_MOST_ODD])
        except (ValueError, RecursionError):
            raise BadStream(f"{self._endpoint.model} sent a chunk that is not JSON") from None

    def _mend(self, text: str) -> str:
        """Join halves of surrogate pairs, keeping one at the end for the next chunk."""
        self._half = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        whole = text[: len(text) - len(self._half)]
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _error_itself(chunk: dict[str, Any]) -> dict[str, Any] | None:
    """An error that has no field of its own, as older llama.cpp, vLLM and FastChat send it."""
    told = "choices" not in chunk and isinstance(chunk.get("message"), str)
    return chunk if told and ("code" in chunk or chunk.get("object") == "error") else None


def read_usage(usage: Any, prompt_name: str, completion_name: str) -> Usage | None:
    """What an API says that it counted, in fields of these names; None where that cannot be."""
    if type(usage) is not dict:
        return None
    fields = cast("dict[str, Any]", usage)
    prompt, completion = _count(fields.get(prompt_name)), _count(fields.get(completion_name))
    if not prompt or completion is None:
        return None
    details = fields.get(f"{prompt_name}_details")
    cached = _count(cast("dict[str, Any]", details).get("cached_tokens")) if type(details) is dict else None
    return Usage(prompt, completion, cached if cached is not None and cached <= prompt else 0)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None
