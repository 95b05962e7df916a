"""What the fake is told to do: settings for all requests, scripts for single ones."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Fault = Literal[
    # before the stream
    "rate_limited",  # 429 with Retry-After
    "quota",  # 429 insufficient_quota
    "server_error",  # 500
    "overloaded",  # 503
    "timeout",  # 408
    "conflict",  # 409
    "unauthorized",  # 401
    "forbidden",  # 403
    "context_too_long",  # 400 context_length_exceeded
    "refused",  # 400 content_filter
    "bad_parameter",  # 400 with `param`
    "redirect",  # 307
    "drop",  # the connection is closed without an answer
    "hang",  # no answer, the connection stays open
    "html",  # 200 with a page
    "json",  # 200 with one JSON object, whatever was asked for
    # in mid-stream, after `after_tokens` tokens
    "reset",  # TCP reset
    "cut",  # the connection is closed
    "ended",  # the response ends properly, the answer does not
    "stall",  # nothing more comes, the connection stays open
    "broken",  # an event with half a JSON object
    "error_event",  # an error object
    # at the end of the stream
    "no_done",  # no [DONE]
    "open_end",  # [DONE], and the connection stays open
    "filtered",  # finish_reason content_filter, no text
    "empty",  # no text
]


class Strict(BaseModel):
    """Refuses what it does not know: a misspelt script must not pass for the default."""

    model_config = ConfigDict(extra="forbid")


class Script(Strict):
    """How to answer the next request that matches."""

    text: str | None = None
    """None: the default answer."""
    pieces: list[str] | None = None
    """The text in just these deltas, in place of `text`."""
    reasoning: str = ""
    """Thoughts before the text, in `reasoning_content`."""
    finish_reason: str = "stop"
    raw: str | None = None
    """A whole response, its head too, that is sent byte by byte in place of all else; the connection is closed then."""
    tokens_per_second: float | None = Field(default=None, ge=0)
    """0: all at once. None: as in the settings."""
    first_token_delay: float = Field(default=0, ge=0)
    """Seconds until the answer begins."""
    fault: Fault | None = None
    after_tokens: int = Field(default=3, ge=0)
    retry_after: float | None = None
    """Seconds in Retry-After."""
    match: str | None = None
    """Only requests whose last user message contains it."""
    model: str | None = None
    """Only requests for this model."""
    times: int | None = Field(default=1, ge=1)
    """For how many requests. None: for all that come."""


class Settings(Strict):
    """What holds for all requests."""

    api_key: str | None = None
    """None: keys are not looked at."""
    other_keys: list[str] = Field(default_factory=list[str])
    """Keys that are taken too, as while one is being replaced."""
    models: list[str] | None = None
    """None: any name is a model's."""
    context_window: int = 128_000
    """Tokens, counted as a quarter of the characters."""
    tokens_per_second: float = Field(default=0, ge=0)
    blind: list[str] = Field(default_factory=list[str])
    """Models that refuse images."""
    flagged: list[str] = Field(default_factory=list[str])
    """Words that the moderation endpoint flags a text for."""
    moderation_fault: Literal["server_error", "rate_limited", "hang", "html", "short"] | None = None
    """What the moderation endpoint does instead; `short`: it leaves out a verdict."""
    moderation_tokens: int = 0
    """What the moderation endpoint says that it took; 0: it tells nothing, as OpenAI's, which is free."""
    listing: (
        Literal["missing", "not_allowed", "scopes", "forbidden", "server_error", "rate_limited", "endless", "hang"]
        | None
    ) = None
    """What `GET /models` does instead of a list. `missing`: 404; `not_allowed`: 405; `scopes`: 403 to a restricted key;
    `endless`: a list without an end."""
    bounded: bool = True
    """False: no notice is taken of `max_tokens`, as by some servers."""
    stream_options: bool = True
    """False: `stream_options` is refused, as by older servers."""
    refused: dict[str, Literal["param", "null", "empty", "default_only", "renamed", "fastapi"]] = {}
    """Parameters that are refused, and how: by `param`, by the message alone with `param` null or empty, any value but
    the default, for another name of the same, as FastAPI does (422 with `loc`)."""
    template: Literal["any", "strict", "gemma"] = "any"
    """`strict`: roles must alternate behind the system's, else 500 as llama.cpp has it; `gemma`: likewise, and the
    system's is refused."""
