"""How long an answer is waited for: what counts as progress, and what is only a sign of life.

Progress is what an answer is made of: text, thoughts, its end. A sign of life is any whole line that a server sends
besides: a comment (`: OPENROUTER PROCESSING`), an empty line, an event of nothing. It says that the server works on,
and is believed for a bounded time.
"""

from __future__ import annotations

import math

from gptbot.llm.types import Endpoint


class Progress:
    """That of one request. All times are on the loop's clock."""

    __slots__ = ("_alive", "_before", "_between", "_end", "_last", "_sign", "begun", "over")

    def __init__(self, endpoint: Endpoint, now: float) -> None:
        self._before, self._between = endpoint.timeout, endpoint.stall
        self._alive = endpoint.keep_alive
        self._end = now + endpoint.total_timeout
        self._last = self._sign = now
        self.begun = False
        """Whether the first token came."""
        self.over = math.inf
        """When the end of the answer was seen long enough ago."""

    def moved(self, now: float) -> None:
        """The answer went on."""
        self._last = self._sign = now
        self.begun = True

    def lives(self, now: float) -> None:
        """A sign of life came."""
        self._sign = now

    @property
    def silence(self) -> float:
        """Seconds without anything after which it is given up."""
        return self._between if self.begun else self._before

    @property
    def deadline(self) -> float:
        """When to give up."""
        believed = min(self._sign + self.silence, self._last + self._alive)
        return min(max(self._last + self.silence, believed), self._end, self.over)

    def lived_on(self, now: float) -> bool:
        """Whether it was waited for as long as signs of life without progress are believed."""
        return self._alive > self.silence and self._last + self._alive <= now

    def spent(self, now: float) -> bool:
        """Whether the time of the whole answer is over."""
        return self._end <= now
