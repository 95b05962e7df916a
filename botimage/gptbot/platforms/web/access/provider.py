"""An OpenID provider: what it says of itself, its keys, and codes turned into ID tokens (OpenID Connect Core 1.0)."""

from __future__ import annotations

import asyncio
import hmac
import time
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

from gptbot.platforms.web.access.fetch import Unreachable, fetch_json
from gptbot.platforms.web.access.tokens import PUBLIC_KEY, BadToken, RemoteKeys, Verifier
from gptbot_api.web import OpenIdConnect

_KEPT = 3600.0


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider says of itself (OpenID Connect Discovery 1.0, 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    basic: bool
    """Whether the client's secret goes into `Authorization`; else it is a field of the form."""


class Provider:
    """One provider, as one client sees it."""

    def __init__(self, settings: OpenIdConnect, secret: str) -> None:
        """`secret` is the client's; empty: it has none."""
        self._settings = settings
        self._secret = secret
        self._metadata: Metadata | None = None
        self._fetched = 0.0
        self._lock = asyncio.Lock()
        keys = RemoteKeys(self._key_set)
        self._verifier = Verifier(keys, PUBLIC_KEY, settings.issuer, settings.client_id)

    async def metadata(self) -> Metadata:
        """What it says of itself, kept for an hour. Raises Unreachable."""
        async with self._lock:
            if self._metadata is None or time.monotonic() - self._fetched > _KEPT:
                self._metadata = await self._discover()
                self._fetched = time.monotonic()
            return self._metadata

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        """The ID token for a code. Raises Unreachable, and BadToken when there is none for this code."""
        known, settings = await self.metadata(), self._settings
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier,
            "client_id": settings.client_id,
        }  # fmt: skip
        authorization = ""
        if self._secret and known.basic:
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(self._secret)}"
            authorization = f"Basic {b64encode(pair.encode()).decode()}"
        elif self._secret:
            form["client_secret"] = self._secret
        try:
            answer = await fetch_json(known.token_endpoint, "the token endpoint", form, authorization)
        except Unreachable as error:
            if error.status in (400, 401, 403):  # RFC 6749, 5.2
                raise BadToken(f"the provider does not take its code, or our client: {error.status}") from None
            raise
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise BadToken("the provider gave no ID token")
        return token

    async def claims(self, token: str, nonce: str) -> dict[str, Any]:
        """What an ID token says that was made for this login (3.1.3.7). Raises BadToken, Unreachable."""
        claims = await self._verifier.claims(token)
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise BadToken("its nonce is not that of this login")
        if (len(_list(claims["aud"])) > 1 or "azp" in claims) and claims.get("azp") != self._settings.client_id:
            raise BadToken("it was made for another client")
        if not isinstance(claims.get("iat"), int | float):
            raise BadToken("it does not say when it was made")
        return claims

    async def _key_set(self) -> Mapping[str, Any]:
        return await fetch_json((await self.metadata()).jwks_uri, "the issuer's key set")

    async def _discover(self) -> Metadata:
        issuer = self._settings.issuer
        what = "the issuer's openid-configuration"
        found = await fetch_json(f"{issuer.rstrip('/')}/.well-known/openid-configuration", what)
        if found.get("issuer") != issuer:
            raise Unreachable(f"{what} is of another issuer than spec.platforms.web.access.oidc.issuer says")
        secure = urlsplit(issuer).scheme == "https"
        authorization, token, keys = (
            _endpoint(found, name, secure=secure) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Metadata(authorization, token, keys, basic="client_secret_basic" in methods)


def lets_in(settings: OpenIdConnect, claims: Mapping[str, Any]) -> bool:
    """Whether an account is one of those that may use the page."""
    if settings.allowed_domains:
        email = claims.get("email")
        domain = email.rpartition("@")[2].lower() if isinstance(email, str) and "@" in email else ""
        if claims.get("email_verified") is not True or domain not in settings.allowed_domains:
            return False
    return all(_any_of(claims.get(wanted.name), wanted.values) for wanted in settings.claims)


def _any_of(said: Any, wanted: Collection[str]) -> bool:
    return any(isinstance(value, str) and value in wanted for value in _list(said))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _endpoint(found: Mapping[str, Any], name: str, *, secure: bool) -> str:
    """An address that the provider names. Raises Unreachable when it is none, or less safe than the issuer's own."""
    url = found.get(name)
    try:
        parts = urlsplit(url if isinstance(url, str) and len(url) <= 2048 else "")
    except ValueError:
        parts = urlsplit("")
    if not parts.hostname or parts.scheme not in (("https",) if secure else ("http", "https")):
        raise Unreachable(f"the issuer's openid-configuration has no usable {name}")
    return parts.geturl()
