"""What goes wrong between us and a model. No text of these errors holds a key, a prompt or an answer."""

from __future__ import annotations

from math import isfinite
from typing import ClassVar, Final

LONGEST_WAIT: Final = 86_400.0
"""Seconds that an API is waited for at most, as it is for platforms: daily quotas begin anew by then."""


class ModelError(Exception):
    """Base of all. The text is for the log: what is wrong and what to do."""

    kind: ClassVar[str] = "model_error"
    """Short name: the label in metrics, and what the user's sentence is chosen by."""
    retryable: ClassVar[bool] = False
    """Whether the same request may succeed by itself later. False: a person must change something first."""

    def __init__(self, message: str, *, retry_after: float | None = None, text: str = "") -> None:
        super().__init__(message)
        # A server may say anything: what is no number, or has no end, is a day.
        if retry_after is not None:
            retry_after = min(retry_after, LONGEST_WAIT) if isfinite(retry_after) else LONGEST_WAIT
        self.retry_after = retry_after
        """Seconds the API asks to wait, `LONGEST_WAIT` at most."""
        self.text = text
        """What had come of the answer until then."""


class Unreachable(ModelError):
    """No connection: name not found, refused, reset before an answer, TLS."""

    kind = "unreachable"
    retryable = True


class ModelTimeout(ModelError):
    """No token within the endpoint's `timeout`."""

    kind = "timeout"
    retryable = True


class TookTooLong(ModelTimeout):
    """The answer was not at its end within the endpoint's `total_timeout`."""


class Overloaded(ModelError):
    """Too many requests for now, or trouble of the API's own (408, 409, 429, 5xx)."""

    kind = "overloaded"
    retryable = True


class QuotaExceeded(ModelError):
    """The account is out of money or of its monthly quota."""

    kind = "quota"


class Unauthorized(ModelError):
    """The API refuses the key, or what is asked with it."""

    kind = "unauthorized"


class ModelNotFound(ModelError):
    """The API has no such model, or there is no such API at the address."""

    kind = "not_found"


class ContextTooLong(ModelError):
    """The messages do not fit into the model's context window."""

    kind = "context_too_long"

    def __init__(
        self, message: str, *, limit: int | None = None, requested: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.limit = limit
        """Tokens the model takes, where the API tells."""
        self.requested = requested
        """Tokens the messages were, where the API tells."""


class Refused(ModelError):
    """A content filter refuses the question or the answer."""

    kind = "refused"


class BudgetSpent(ModelError):
    """Nothing is left of a budget of `spec.limits`: the model is not asked, or its answer ends in the middle."""

    kind = "budget"

    def __init__(self, limit: str) -> None:
        super().__init__(f"nothing is left of limits today: {limit}")
        self.limit = limit
        """Which one, as `gptbot.safety.limits.LimitName` has it."""


class BadStream(ModelError):
    """The answer ended before its end, or is no answer at all."""

    kind = "bad_stream"
    retryable = True


class EmptyAnswer(ModelError):
    """The model answered without a word."""

    kind = "empty"
    retryable = True


class NoText(EmptyAnswer):
    """The same, and would again: its reasoning used up all the room, or it calls a tool."""

    kind = "no_text"
    retryable = False


class BadRequest(ModelError):
    """The API does not understand the request: most often a parameter that the model does not take."""

    kind = "bad_request"

    def __init__(self, message: str, *, parameter: str | None = None, value: bool = False, roles: bool = False) -> None:
        super().__init__(message)
        self.parameter = parameter
        """The parameter it complains about, where the API tells."""
        self.value = value
        """Whether it takes the parameter, and only not this value of it."""
        self.roles = roles
        """Whether it is the roles of the messages, or their order, that its template does not take."""
