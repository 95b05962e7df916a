"""What the operator remembers of a bot."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gptbot_api import InvalidManifest
from gptbot_operator import events
from gptbot_operator.applied import Applied
from gptbot_operator.credentials import Credentials, Spare
from gptbot_operator.newer import unknown_alone
from gptbot_operator.pods import PodLook
from gptbot_operator.sharing import Share

_SUCCESSOR_SECONDS = 60.0
"""How long an operator that is older than the CRD waits for the next one before it calls a spec invalid."""


@dataclass(slots=True)
class Memory:
    """What is known of one bot between two looks. Everything in it can be found out again."""

    uid: str = ""
    """Of the GptBot: another one of the same name may follow."""
    applied: Applied = field(default_factory=Applied)
    looked: bool = False
    """Its children were applied at least once."""
    full_at: float = float("-inf")
    unknown_since: float | None = None
    """Since when its spec has fields that this operator does not know."""
    paused: bool = False
    """It was when it was looked at last."""
    secret: tuple[bytes, Credentials] | None = None
    """Fingerprint of the bot's own Secret, and what is in it."""
    spare: Spare = field(default_factory=Spare)
    """The pepper for that Secret until it is in there."""
    share: Share = field(default_factory=Share)
    """What is known of its part in the shared store."""
    store: tuple[str, str] | None = None
    """Digest of the store's URL in its Secret, and the URL."""
    without_secret: bool = False
    """That Secret was not there when it was looked for."""
    left: frozenset[str] = frozenset()
    """URLs of stores of its own that hold what it keeps: to be erased when the bot is deleted."""
    url: str | None = None
    """The store in use."""
    events: events.News = field(default_factory=events.News)
    """What is still to be told in Events."""
    pods: dict[str, PodLook] = field(default_factory=dict[str, PodLook])
    """By component: what keeps its pods from working."""

    def ends_pause(self, *, paused: bool) -> bool:
        """Note whether it is paused; whether a pause is over: then nothing is taken for done, nor waits to be tried."""
        over, self.paused = self.paused and not paused, paused
        if over:
            self.applied.refusals.forget()
        return over

    def may_be_newer(self, error: InvalidManifest) -> bool:
        """Whether a spec is wrong by fields alone that only a newer operator knows, and was not a minute ago.

        In an upgrade the CRD comes first and its operator next.
        """
        if not unknown_alone(error):
            return False
        now = time.monotonic()
        self.unknown_since = now if self.unknown_since is None else self.unknown_since
        return now - self.unknown_since < _SUCCESSOR_SECONDS
