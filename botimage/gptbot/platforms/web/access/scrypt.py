"""The hash of a password (scrypt, RFC 7914): off the loop, one at a time in a process, the same time for each."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import unicodedata
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import BoundedSemaphore

_LONGEST = 1024
"""Characters of a password."""
_MEMORY = 256 * 2**20
_WAITING = 16
HASHED = "$scrypt$"
"""What a hash begins with."""
_PHC = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{22,86})"
)


class Busy(Exception):
    """Too many passwords wait to be looked at."""


class _Room:
    """One thread for the passwords of all bots of the process: 32 MiB and a tenth of a second each."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "password")
        self._places = BoundedSemaphore(_WAITING)

    async def fits(self, hashed: Hash, password: str) -> bool:
        if not self._places.acquire(blocking=False):
            raise Busy
        work = self._executor.submit(hashed.compute_fits, password)
        work.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(work)


@dataclass(frozen=True, slots=True)
class Hash:
    """What a password is compared with."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    ln: int = 15
    """Base 2 logarithm of the cost."""
    r: int = 8
    p: int = 1

    @classmethod
    def of(cls, password: str, pepper: bytes) -> Hash:
        """The hash of a password that is known in plain text; all replicas make the same."""
        made = cls(hmac.digest(pepper, b"web password", hashlib.sha256), b"\0" * 32)
        return cls(made.salt, made.compute(password))

    @classmethod
    def parse(cls, text: str) -> Hash:
        """Read `$scrypt$ln=15,r=8,p=1$SALT$HASH`, both base64 without padding. Raises ValueError when it is none."""
        found = _PHC.fullmatch(text)
        if found is None:
            raise ValueError("write $scrypt$ln=15,r=8,p=1$SALT$HASH, both base64 without padding")
        ln, r, p = (int(found[number]) for number in (1, 2, 3))
        if not 14 <= ln <= 17 or not 1 <= r <= 8 or not 1 <= p <= 2:
            raise ValueError("ln must be 14 to 17, r 1 to 8, p 1 or 2")
        salt, digest = (b64decode(found[number] + "=" * (-len(found[number]) % 4)) for number in (4, 5))
        return cls(salt, digest, ln, r, p)

    async def fits(self, password: str) -> bool:
        """Whether it is the password. Raises Busy when too many others wait."""
        return await _ROOM.fits(self, password)

    def compute_fits(self, password: str) -> bool:
        """The same here and now, which takes a tenth of a second."""
        usable = len(password) <= _LONGEST
        return hmac.compare_digest(self.compute(password if usable else ""), self.digest) and usable

    def compute(self, password: str) -> bytes:
        """The digest of a password."""
        text = unicodedata.normalize("NFC", password).encode(errors="replace")
        return hashlib.scrypt(
            text, salt=self.salt, n=2**self.ln, r=self.r, p=self.p, maxmem=_MEMORY, dklen=len(self.digest)
        )


_ROOM = _Room()
