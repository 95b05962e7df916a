"""Let in whom another site gave a signed token: with each request, or once, for a session."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from joserfc import jwk
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import GatewayContext
from gptbot.platforms.web.access.answers import TO_PAGE, Answers, FormRefused, small_form, wants_json
from gptbot.platforms.web.access.fetch import Unreachable, fetch_json
from gptbot.platforms.web.access.tokens import (
    LEEWAY,
    PUBLIC_KEY,
    SHARED_SECRET,
    BadToken,
    FixedKey,
    RemoteKeys,
    Verifier,
    fits,
)
from gptbot.platforms.web.session import Session, Sessions
from gptbot.telemetry.logs import get_logger
from gptbot_api import Fault, InvalidManifest
from gptbot_api.web import HostToken

log = get_logger(__name__)

_LONGEST = 3600
"""Seconds that a token may hold."""
_SECRET_BYTES = 32


class TokenGate:
    """See `gates.Gate`."""

    form = "<p>${web-login-token}</p>"
    script = True

    def __init__(
        self, context: GatewayContext, sessions: Sessions, answers: Answers, settings: HostToken, lifetime: int
    ) -> None:
        """Raises InvalidManifest when the key is not there or cannot be used."""
        self._store = context.store
        self._keys = context.keys
        self._sessions = sessions
        self._answers = answers
        self._lifetime = lifetime
        self._verifier = _verifier(context, settings)

    async def bearer(self, request: Request) -> Session | None:
        """Who a token in `Authorization` is of; that person has one conversation."""
        token = _bearer(request)
        if not token:
            return None
        claims = await self._claims(token)
        if claims is None:
            return None
        who = self._who(claims)
        return Session(self._keys.pseudonym("web", "bearer", who), who, int(claims["exp"]), cookie=False)

    def routes(self) -> Sequence[Route]:
        """Where a token is turned into a session."""
        return [Route("/session", self._trade, methods=["POST"])]

    async def _trade(self, request: Request) -> Response:
        """Take a token, in `Authorization` or a form of the host site's, once. A form may come from another origin."""
        answers = self._answers
        try:
            token = _bearer(request) or (await small_form(request)).get("token", "")
            claims = await self._claims(token)
            if claims is None or not await self._first_time(token, claims):
                return answers.login(request, 401, "web-error-token")
        except FormRefused:
            return answers.login(request, 400, "web-error-form")
        except StoreUnavailable:
            return answers.login(request, 503, "web-error-store-login")
        response = Response(b"{}", media_type="application/json") if wants_json(request) else HTMLResponse(TO_PAGE)
        session = self._sessions.begin(request, self._who(claims), self._lifetime)
        self._sessions.give(response, request, session, self._lifetime)
        return response

    async def _claims(self, token: str) -> dict[str, Any] | None:
        try:
            claims = await self._verifier.claims(token)
        except (BadToken, Unreachable) as error:
            log.info("a token was refused", reason=str(error))
            return None
        if claims["exp"] - time.time() > _LONGEST + LEEWAY:
            log.info("a token was refused", reason="it holds for more than an hour")
            return None
        return claims

    async def _first_time(self, token: str, claims: dict[str, Any]) -> bool:
        """Whether nobody has got a session for this token yet. Raises StoreUnavailable."""
        key = self._keys.platform("web", f"traded:{self._keys.pseudonym('web', 'token', token.rpartition('.')[0])}")
        left = max(1, int(claims["exp"] - time.time()) + 2 * LEEWAY)
        return bool(await self._store.command("SET", key, "1", "NX", "EX", left))

    def _who(self, claims: dict[str, Any]) -> str:
        return self._keys.pseudonym("web", "subject", claims["iss"], claims["sub"])


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _verifier(context: GatewayContext, settings: HostToken) -> Verifier:
    where = "spec.platforms.web.access.token"
    if url := settings.keys_url:
        keys = RemoteKeys(lambda: fetch_json(url, "the key set of spec.platforms.web.access.token.keysUrl"))
        return Verifier(keys, PUBLIC_KEY, settings.issuer, settings.audience)
    if settings.secret_ref is not None:
        secret = context.bot.secret(settings.secret_ref, f"{where}.secretRef")
        if len(secret.encode()) < _SECRET_BYTES:
            raise InvalidManifest([Fault(f"{where}.secretRef", f"must have {_SECRET_BYTES} bytes at least")])
        try:
            key = jwk.OctKey.import_key(secret)
        except ValueError:
            fault = "is a public key, which everybody knows: it belongs under publicKeySecretRef"
            raise InvalidManifest([Fault(f"{where}.secretRef", fault)]) from None
        return Verifier(FixedKey(key), SHARED_SECRET, settings.issuer, settings.audience)
    assert settings.public_key_secret_ref is not None
    text = context.bot.secret(settings.public_key_secret_ref, f"{where}.publicKeySecretRef")
    return Verifier(FixedKey(_public_key(text, where)), PUBLIC_KEY, settings.issuer, settings.audience)


def _public_key(text: str, where: str) -> jwk.Key:
    """Read a public key, PEM or JWK. Raises InvalidManifest when it is none."""
    import orjson

    fault = Fault(
        f"{where}.publicKeySecretRef", "must be a public key, PEM or JWK: RSA of 2048 to 8192 bits, P-256, Ed25519"
    )
    try:
        key = jwk.import_key(orjson.loads(text) if text.startswith("{") else text)
    except Exception:  # of many kinds, by the library beneath
        raise InvalidManifest([fault]) from None
    if isinstance(key, jwk.OctKey) or not fits(key):
        raise InvalidManifest([fault])
    return key
