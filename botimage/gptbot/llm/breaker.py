"""A circuit breaker: an endpoint that keeps failing is left alone for a while, so that its fallbacks answer at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Literal

from gptbot.llm import metrics
from gptbot.llm.errors import ModelError, ModelNotFound, QuotaExceeded, Unauthorized

THRESHOLD = 5
"""Retryable failures in a row that open it."""
PAUSE, MAX_PAUSE = 5.0, 300.0
"""Seconds it stays open: the first time, and at most. Doubled with every trial that fails."""
LONG_PAUSE, MAX_LONG_PAUSE = 60.0, 900.0
"""The same where a person has to change something first."""
JITTER = 0.25
"""Part of a pause that is left to chance, so that the processes of a bot do not come back all at once."""
_FOR_A_PERSON = (Unauthorized, QuotaExceeded, ModelNotFound)

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Whether one endpoint is worth asking, by what its last requests came to.

    closed: it is. open: it is not, until its pause is over. half_open: one request may try, and what it comes to
    closes it, or opens it for twice as long. Each request is one `attempt`: one `begin` and then one of `succeeded`,
    `failed` and `abandoned`. Not asking an open endpoint is left to the caller, who may have no other.
    """

    def __init__(
        self, name: str, *, clock: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random
    ) -> None:
        """`name`: the endpoint's label in metrics. `clock` gives seconds, `chance` numbers from 0 to 1."""
        self._gauge = metrics.ENDPOINTS_OPEN.labels(name)
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._openings = 0
        self._until: float | None = None
        self._trial = False

    @property
    def state(self) -> State:
        """As it is now."""
        if self._until is None:
            return "closed"
        return "open" if self._clock() < self._until else "half_open"

    @property
    def opens_at(self) -> float:
        """When its pause ends, on its clock; minus infinity while it is closed."""
        return float("-inf") if self._until is None else self._until

    def ready(self) -> bool:
        """Whether a request may be made: it is closed, or half open and nobody is trying."""
        return self.state == "closed" or (self.state == "half_open" and not self._trial)

    @contextmanager
    def attempt(self) -> Generator[None, None, None]:
        """Make a request in this block: a ModelError out of it is its failure, anything else says nothing of it."""
        trial = self.begin()
        try:
            yield
        except ModelError as error:
            self.failed(error, trial=trial)
            raise
        except BaseException:
            self.abandoned(trial=trial)
            raise
        self.succeeded()

    def begin(self) -> bool:
        """A request is made. True: it is the trial of a half-open breaker; tell so at its end."""
        trial = self.state == "half_open" and not self._trial
        self._trial = self._trial or trial
        return trial

    def succeeded(self) -> None:
        """The endpoint did its work: it is closed, whoever asked."""
        if self._until is not None:
            self._gauge.dec()
        self._failures = self._openings = 0
        self._until, self._trial = None, False

    def failed(self, error: ModelError, *, trial: bool) -> None:
        """A request failed. What is wrong with the request alone shows that the endpoint works."""
        lasting = isinstance(error, _FOR_A_PERSON)
        if not lasting and not error.retryable:
            return self.succeeded()
        trial = trial and self._trial  # else another request has closed it meanwhile
        if trial:
            self._trial = False
        elif self._until is not None:
            return None  # begun before it opened, or made for want of another endpoint: no news
        self._failures += 1
        if lasting or trial or self._failures >= THRESHOLD:
            self._open(lasting, error.retry_after or 0.0)
        return None

    def abandoned(self, *, trial: bool) -> None:
        """A request was given up by us: nothing is known, and another may try."""
        if trial:
            self._trial = False

    def _open(self, lasting: bool, at_least: float) -> None:
        if self._until is None:
            self._gauge.inc()
        first, most = (LONG_PAUSE, MAX_LONG_PAUSE) if lasting else (PAUSE, MAX_PAUSE)
        pause = min(most, first * 2 ** min(self._openings, 16)) * (1 - JITTER * self._chance())
        self._until = self._clock() + max(pause, min(at_least, MAX_LONG_PAUSE))
        self._openings += 1
        self._failures = 0
