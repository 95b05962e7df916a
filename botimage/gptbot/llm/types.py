"""What goes to a model and what comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NotRequired, Protocol, TypedDict

Role = Literal["system", "user", "assistant"]
BOUNDS: Final = frozenset({"max_tokens", "max_completion_tokens"})
"""Both names that parameters have for the bound of an answer. Older servers know the first alone, and some take no
notice of the second; newer models of OpenAI refuse the first and name the second."""


class Message(TypedDict):
    """One message of a conversation, as the Chat Completions API has it, but for its images."""

    role: Role
    content: str
    images: NotRequired[Sequence[str]]
    """`data:` URLs, shown to endpoints with `vision`; others see only what `content` says of them."""


def without_credentials(url: str) -> str:
    """A URL without the user and password that may stand in it."""
    return re.sub(r"//[^/@]*@", "//", url)


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs, in units of the currency per million tokens: millionths of it a token."""

    input: float
    output: float
    cached: float
    """Of the input that the API had read before."""
    currency: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request."""

    prompt: int
    completion: int
    cached: int = 0
    """Of those of the prompt."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model at an OpenAI-compatible API."""

    base_url: str
    """Up to and with the version: `https://api.openai.com/v1`."""
    api_key: str | None = field(repr=False)
    """None: none is sent."""
    model: str
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Passed in the request as they are."""
    timeout: float = 60.0
    """Seconds to wait for the first token."""
    total_timeout: float = 600.0
    """Seconds that a whole answer may take."""
    stall: float = 20.0
    """Seconds to wait between two tokens."""
    keep_alive: float = 120.0
    """Seconds without a token for which signs of life are believed (`progress.py`)."""
    max_answer: int | None = None
    """Tokens that an answer may have. None: the request says nothing of it."""
    most_characters: int = 1_000_000
    """Characters of an answer at which it is ended here, whatever the server does."""
    vision: bool = False
    """Whether it sees images."""
    path: str = "spec.llm"
    """The field of the GptBot that it stands in, for errors."""
    prices: Prices | None = None
    """None: what it costs is not counted."""

    def fields(self, *, whole: bool = False, window: int | None = None) -> Mapping[str, Any]:
        """The parameters of a request. `whole`: its answer is not bounded by `max_answer`.

        `window`: tokens that the model takes at once, where it said so: an answer has a quarter of them at most.
        """
        if whole or self.max_answer is None or not BOUNDS.isdisjoint(self.parameters):
            return self.parameters
        most = self.max_answer if window is None else min(self.max_answer, window // 4)
        return {"max_tokens": most, **self.parameters}

    @property
    def address(self) -> str:
        """`base_url` for people: without a user and password that may stand in it."""
        return without_credentials(self.base_url)

    def url(self, path: str) -> str:
        """Where a method of the API is, such as `/chat/completions`.

        A user and password in `base_url` are for servers without keys; aiohttp refuses to send both.
        """
        base = self.base_url if self.api_key is None else self.address
        return base.rstrip("/") + path


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer."""

    text: str
    finish_reason: str | None
    """`stop`, `length` (cut at `max_tokens` or the end of the context), `content_filter`, …"""
    prompt_tokens: int | None
    completion_tokens: int | None
    """Both None when the API does not tell."""
    model: str
    """The model that answered, by the name in its endpoint."""
    unopened_thoughts: bool = False
    """Whether it began with thoughts of which only the end was in it: the model's template puts the opening into the
    prompt."""


class Meter(Protocol):
    """Who pays for requests: hears of each, and may forbid it."""

    async def before(self, endpoint: Endpoint, messages: Sequence[Message]) -> None:
        """A request is to be made. Raises BudgetSpent when it must not be."""
        ...

    def heard(self, said: int) -> None:
        """So many characters of the answer came so far, thoughts included. Raises BudgetSpent to end it."""
        ...

    def after(self, endpoint: Endpoint, messages: Sequence[Message], usage: Usage | None, said: int) -> None:
        """A request that may have cost something is over, well or not.

        `usage`: what the API counted, None if it did not tell. `said`: characters that it answered, thoughts included.
        """
        ...
