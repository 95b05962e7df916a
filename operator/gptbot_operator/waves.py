"""Which bots may get new pods now: at most so many at a time, none while new pods fail. Pure: no cluster, no clock."""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection
from dataclasses import dataclass

_MOST = re.compile(r"([0-9]{1,6})(%?)")


@dataclass(frozen=True, slots=True)
class Most:
    """How many bots may be rolled at a time: a number, or a percentage of the bots that are served."""

    number: int
    percent: bool = False

    @staticmethod
    def parse(text: str) -> Most:
        """Read `10%` or `3`. Raises ValueError."""
        found = _MOST.fullmatch(text)
        if found is None or int(found[1]) < 1 or (found[2] and int(found[1]) > 100):
            raise ValueError(f"must be a number from 1 on or a percentage from 1% to 100%, not {text!r}")
        return Most(int(found[1]), bool(found[2]))

    def of(self, bots: int) -> int:
        """So many of these bots; at least one."""
        return max(1, bots * self.number // 100) if self.percent else self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why new pods of a bot do not work, or are not there."""

    text: str
    halts: bool = True
    """No other bot is begun for as long as it lasts."""


@dataclass(frozen=True, slots=True)
class View:
    """How the pods of one bot stand, as one look sees them."""

    waits: bool = False
    """Pods of it are to be replaced, in its turn."""
    rolls: bool = False
    """New pods that a wave brought do not work yet, or the bot does not answer again."""
    fresh: bool = False
    """Some of its pods were brought by a wave, and are of the newest version."""
    down: bool = False
    """It does not answer as it is, so nothing is lost by replacing its pods: it is first in the line."""
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Bots by how far they are; each is counted once."""

    newest: int
    waiting: int
    rolling: int
    """Their new pods are awaited, or the pause after that is not over."""
    failed: int


class Waves:
    """The line of all bots that count. A bot that may go keeps its place until it works and the pause is over.

    `now` is in seconds, of any clock that never goes back.
    """

    def __init__(self, most: Most, pause: float) -> None:
        """`pause`: seconds between a bot that works again and the next one in its place."""
        self.most = most
        self.pause = pause
        self.paused = False
        """Somebody wants nothing to be begun."""
        self.complete = False
        """All bots are known: before, nothing is begun."""
        self._views: dict[str, View] = {}
        self._waiting: set[str] = set()
        self._rolling: set[str] = set()
        self._resting: dict[str, float] = {}
        """Bots that work again, and since when; oldest first."""
        self._done: set[str] = set()
        """Bots whose pause is over: what becomes of them later is not the rollout's."""
        self._troubles: dict[str, Trouble] = {}
        self._halting: set[str] = set()
        self._not_before: dict[str, float] = {}
        """Bots whose new pods the API server refuses, and when they may be tried again."""

    def put(self, bot: str, view: View, now: float) -> None:
        """Note how a bot stands."""
        first = bot not in self._views
        self._views[bot] = view
        if view.trouble is not None:
            self._note(bot, view.trouble)
        elif self._not_before.get(bot, now) <= now:
            self._note(bot, None)
        if view.waits:
            self._done.discard(bot)
        if view.rolls and bot not in self._done:
            self._resting.pop(bot, None)
            self._waiting.discard(bot)
            self._rolling.add(bot)
        elif view.waits:
            if bot not in self._rolling:
                self._waiting.add(bot)
        else:
            self._waiting.discard(bot)
            if bot in self._rolling or (first and view.fresh):
                self._rolling.discard(bot)
                self._resting[bot] = now
            elif bot not in self._resting:
                self._done.add(bot)

    def refused(self, bot: str, text: str, now: float, again: float) -> None:
        """The API server refuses its new Deployment: nothing was begun, and others go before it for `again` seconds."""
        self._rolling.discard(bot)
        self._waiting.add(bot)
        self._note(bot, Trouble(text, halts=False))
        self._not_before[bot] = now + again

    def _note(self, bot: str, trouble: Trouble | None) -> None:
        self._halting.discard(bot)
        if trouble is None:
            self._troubles.pop(bot, None)
            return
        self._troubles[bot] = trouble
        if trouble.halts:
            self._halting.add(bot)

    def leave(self, bot: str) -> None:
        """A bot does not count: it is gone, has no pods, or nobody may touch it."""
        self._views.pop(bot, None)
        self._note(bot, None)
        self._resting.pop(bot, None)
        self._not_before.pop(bot, None)
        for each in (self._waiting, self._rolling, self._done):
            each.discard(bot)

    def may_go(self, bot: str) -> bool:
        """Whether new pods may be made for a bot now."""
        return bot in self._rolling and not self.stopped

    @property
    def stopped(self) -> bool:
        """Whether nothing is to be begun or gone on with."""
        return self.paused or self.halted

    @property
    def halted(self) -> bool:
        """Whether new pods fail."""
        return bool(self._halting)

    @property
    def left(self) -> bool:
        """Whether there is something to do or to wait for."""
        return bool(self._waiting or self._rolling or self._resting)

    @property
    def limit(self) -> int:
        """Bots that may be rolled at a time."""
        return self.most.of(len(self._views))

    def begin(self, now: float) -> list[str]:
        """Bots whose turn it is from now on. Those that fill the places keep them."""
        while self._resting and now - (oldest := next(iter(self._resting.items())))[1] >= self.pause:
            self._rest_over(oldest[0])
        free = self.limit - len(self._rolling) - len(self._resting)
        if free <= 0 or not self._waiting or self.stopped or not self.complete:
            return []
        ready = (bot for bot in self._waiting if bot not in self._resting and self._not_before.get(bot, now) <= now)
        chosen = heapq.nsmallest(free, ready, key=self._place)
        for bot in chosen:
            self._not_before.pop(bot, None)
            self._waiting.discard(bot)
            self._rolling.add(bot)
        return chosen

    def _rest_over(self, bot: str) -> None:
        del self._resting[bot]
        if not self._views[bot].waits:
            self._done.add(bot)

    def _place(self, bot: str) -> tuple[bool, bool, str]:
        """What is begun or down comes first."""
        view = self._views[bot]
        return not view.down, not view.fresh, bot

    def rests(self, bot: str, now: float) -> float | None:
        """Seconds that are left of the pause after a bot."""
        since = self._resting.get(bot)
        return None if since is None else max(0.0, since + self.pause - now)

    @property
    def rolling(self) -> Collection[str]:
        """Bots whose turn it is, and that do not work yet."""
        return self._rolling

    @property
    def troubles(self) -> dict[str, Trouble]:
        """Bots whose new pods fail or are refused."""
        return self._troubles

    def count(self) -> Count:
        """How far they are."""
        failed = len(self._troubles)
        waiting = len(self._waiting - self._troubles.keys() - self._resting.keys())
        rolling = len((self._rolling | self._resting.keys()) - self._troubles.keys())
        return Count(len(self._views) - failed - waiting - rolling, waiting, rolling, failed)
