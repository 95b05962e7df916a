"""Which bots share a platform's token: each would take the other's messages.

No token is kept here, nor anything that one could be tested against: HMACs under a key of this process are compared.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

from gptbot_api.references import Reference

_PATH = re.compile(r"^spec\.platforms\.(?:extra\.)?([^.]+)\.tokenSecretRef\Z")


def platform_tokens(digests: Mapping[Reference, str]) -> dict[str, str]:
    """Platform to the digest of its token, for those that are there."""
    return {match[1]: digest for reference, digest in digests.items() if (match := _PATH.match(reference.path))}


class Tokens:
    """The tokens of all bots."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._of: dict[str, dict[str, bytes]] = {}
        self._bots: dict[bytes, set[str]] = {}
        self._complete = False

    def note(self, bot: str, digests: Mapping[str, str]) -> set[str]:
        """These are a bot's tokens now. The other bots for which that changes something: they need a look."""
        before, after = self._of.get(bot, {}), {name: self._hash(name, digest) for name, digest in digests.items()}
        self._of[bot] = after
        told: set[str] = set()
        for token in set(before.values()) ^ set(after.values()):
            bots = self._bots.setdefault(token, set())
            told |= bots - {bot}
            if token in after.values():
                bots.add(bot)
            else:
                bots.discard(bot)
                if not bots:
                    del self._bots[token]
        return told

    def knows(self, bot: str) -> bool:
        """Whether a bot's tokens were noted."""
        return bot in self._of

    def forget(self, bot: str) -> set[str]:
        """A bot is gone. The other bots for which that changes something."""
        told = self.note(bot, {})
        del self._of[bot]
        return told

    def shared(self, bot: str) -> dict[str, list[str]]:
        """Platform to the other bots with the same token there."""
        found = {name: sorted(self._bots[token] - {bot}) for name, token in self._of.get(bot, {}).items()}
        return {name: others for name, others in found.items() if others}

    def complete(self, bots: int | None) -> bool:
        """Whether the tokens of so many bots were noted, at least once since the start. None: nobody knows how many."""
        self._complete = self._complete or (bots is not None and len(self._of) >= bots)
        return self._complete

    def _hash(self, platform: str, digest: str) -> bytes:
        return hmac.digest(self._key, f"{platform}\x1f{digest}".encode(), hashlib.sha256)
