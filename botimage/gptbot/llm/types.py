"""What goes to a model and what comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, Protocol, TypedDict

Role = Literal["system", "user", "assistant"]


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
    """Seconds to wait for the first token, and between two tokens."""
    total_timeout: float = 600.0
    """Seconds that a whole answer may take."""
    vision: bool = False
    """Whether it sees images."""
    path: str = "spec.llm"
    """The field of the GptBot that it stands in, for errors."""
    prices: Prices | None = None
    """None: what it costs is not counted."""

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
