"""Dead letters: what was given up, and why; looked at, tried again or dropped by a person."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from redis.exceptions import ResponseError

from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import GROUP
from gptbot.inbox.store import Store
from gptbot_api.store_functions import function

_REVIVE = function("revive")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message given up."""

    id: str
    """Its name: the time of its death in milliseconds since 1970, and a number."""
    conversation: str
    """Pseudonym of the conversation."""
    reason: str
    envelope: Envelope | None
    """None: another version of gptbot wrote it, and this one cannot read it."""

    @property
    def died(self) -> float:
        """When it was given up, in seconds since 1970."""
        return int(self.id.partition("-")[0]) / 1000


class DeadLetters:
    """The dead letters of one bot. All methods raise StoreUnavailable."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store = store
        self._keys = keys

    async def list(self, most: int = 100) -> list[DeadLetter]:
        """The newest dead letters, newest first."""
        return [
            _letter(raw) for raw in await self._store.command("XREVRANGE", self._keys.dead, "+", "-", "COUNT", most)
        ]

    async def get(self, letter: str) -> DeadLetter | None:
        """One dead letter, or None when there is none of that name."""
        try:
            found = await self._store.command("XRANGE", self._keys.dead, letter, letter)
        except ResponseError:  # not of an id's form
            return None
        return _letter(found[0]) if found else None

    async def retry(self, letter: DeadLetter) -> bool:
        """Put it back into its mailbox as if it had come just now; False when it is gone meanwhile.

        So is what nobody can read: it would only be given up again, and stays where it is.
        """
        names = self._keys
        if letter.envelope is None:
            return False
        keys = (
            names.runnable, names.line, names.waiting, names.dead, names.mail(letter.conversation),
            names.aside(letter.conversation),
        )  # fmt: skip
        anew = replace(letter.envelope, received=time.time()).encode()
        return bool(await self._store.run(_REVIVE, keys, GROUP, letter.conversation, letter.id, anew))

    async def drop(self, letter: DeadLetter) -> bool:
        """Delete it; False when it is gone meanwhile."""
        return bool(await self._store.command("XDEL", self._keys.dead, letter.id))


def _letter(raw: tuple[bytes, list[bytes]]) -> DeadLetter:
    identifier, flat = raw
    fields = dict(zip(flat[::2], flat[1::2], strict=False))
    conversation, reason = (fields.get(name, b"").decode(errors="replace") for name in (b"c", b"r"))
    try:
        envelope = Envelope.decode(fields[b"m"]) if conversation else None
    except (ValueError, KeyError):
        envelope = None
    return DeadLetter(identifier.decode(), conversation, reason or "unreadable: a letter in the key `dead`", envelope)
