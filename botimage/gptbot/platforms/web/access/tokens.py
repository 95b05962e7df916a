"""Signed tokens (JWT, RFC 7519): whose keys, which algorithms, and what must be in them."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol

from joserfc import jwk, jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning

from gptbot.platforms.web.access.fetch import Unreachable
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

PUBLIC_KEY = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
SHARED_SECRET = ("HS256",)
"""Never both: the public key of one would be the secret of the other."""
LARGEST = 12_000
"""Characters of a token."""
LEEWAY = 30
"""Seconds that clocks may differ."""
_KEPT = 600.0
_STALE = 86_400.0
_AGAIN = 30.0
_RSA_BITS = range(2048, 8193)
_MOST_KEYS = 64

warnings.filterwarnings("ignore", category=SecurityWarning)  # of the name EdDSA, which the whole world uses


class BadToken(Exception):
    """A token is not good. The text is ours: what is wrong, and nothing of what stands in it."""


class Keys(Protocol):
    """Where the keys come from that tokens are checked with."""

    async def get(self, *, fresh: bool = False) -> jwk.Key | jwk.KeySet:
        """The keys; `fresh`: one is wanted that was not among them. Raises Unreachable."""
        ...


class FixedKey:
    """One key that is known."""

    def __init__(self, key: jwk.Key) -> None:
        self._key = key

    async def get(self, *, fresh: bool = False) -> jwk.Key:
        """The key."""
        return self._key


class RemoteKeys:
    """A JWK Set of a server, kept for ten minutes; an unknown key has it asked again, every 30 s at most.

    While it cannot be reached, the keys that are known hold for a day.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Mapping[str, Any]]], clock: Callable[[], float] = time.monotonic):
        """`fetch` gets the document. Raises Unreachable."""
        self._fetch = fetch
        self._clock = clock
        self._keys: jwk.KeySet | None = None
        self._fetched = self._asked = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, *, fresh: bool = False) -> jwk.KeySet:
        """The keys. Raises Unreachable."""
        if self._keys is None or fresh or self._clock() - self._fetched > _KEPT:
            async with self._lock:
                await self._renew(fresh=fresh)
        if self._keys is None or self._clock() - self._fetched > _STALE:
            raise Unreachable("the keys that tokens are checked with are not known")
        return self._keys

    async def _renew(self, *, fresh: bool) -> None:
        now = self._clock()
        if now - self._asked < _AGAIN or (not fresh and now - self._fetched <= _KEPT):
            return  # somebody else has just asked
        self._asked = now
        try:
            self._keys = usable_keys(await self._fetch())
            self._fetched = now
        except Unreachable as error:
            log.warning(
                "the keys that tokens are checked with were not renewed; the known ones hold", reason=str(error)
            )


def usable_keys(document: Mapping[str, Any]) -> jwk.KeySet:
    """The public keys of a JWK Set that may sign. Raises Unreachable when there are none."""
    found: list[jwk.Key] = []
    entries = document.get("keys")
    for entry in entries[:_MOST_KEYS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("kty") == "oct" or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwk.import_key(entry)
            if fits(key):
                found.append(key)
        except Exception as error:  # whatever is wrong with one key, others may be good
            log.warning("a key for checking tokens cannot be used and is left out", reason=type(error).__name__)
    if not found:
        raise Unreachable("the key set holds no public key that can be used")
    return jwk.KeySet(found)


def fits(key: jwk.Key) -> bool:
    """Whether a key is strong enough, and quick enough to be used for everybody's tokens."""
    return not isinstance(key, jwk.RSAKey) or key.public_key.key_size in _RSA_BITS


class Verifier:
    """Checks tokens of one issuer for one audience."""

    def __init__(self, keys: Keys, algorithms: Collection[str], issuer: str, audience: str) -> None:
        self._keys = keys
        self._algorithms = algorithms
        self._registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
        self._registry.max_header_length = 4096
        self._registry.max_payload_length = LARGEST
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def claims(self, token: str) -> dict[str, Any]:
        """What a good token says. Raises BadToken, Unreachable."""
        if len(token) > LARGEST:
            raise BadToken(f"it has more than {LARGEST} characters")
        try:
            return self._check(token, await self._keys.get())
        except InvalidKeyIdError:  # the issuer may have changed its keys
            try:
                return self._check(token, await self._keys.get(fresh=True))
            except InvalidKeyIdError:
                raise BadToken("its key is none of the issuer's") from None

    def _check(self, token: str, keys: jwk.Key | jwk.KeySet) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, keys, self._algorithms, self._registry).claims
            self._claims.validate(claims)
        except InvalidKeyIdError:
            raise
        except JoseError as error:
            raise BadToken(f"{type(error).__name__} {getattr(error, 'claim', '')}".strip()) from None
        except Exception as error:  # a token is anybody's: whatever it has the library raise is its own end alone
            raise BadToken(f"cannot be read: {type(error).__name__}") from None
        if not 0 < len(claims["sub"]) <= 256:
            raise BadToken("sub has no usable length")
        if any("\ud800" <= character <= "\udfff" for character in claims["sub"]):
            raise BadToken("sub is no text: it holds half of a surrogate pair")
        return claims
