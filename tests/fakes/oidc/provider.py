"""An OpenID provider as strict as a real one: one client, codes that work once, PKCE, signatures by real keys.

What a dishonest one, or somebody between, might do instead is set in `Faults`.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlencode

from aiohttp import web
from joserfc import jwk, jwt

Claims = dict[str, Any]
CLIENT, SECRET = "the page/1", "s3cret & more: 50 %"


@dataclass
class Faults:
    """What is wrong; nothing at first."""

    claims: Callable[[Claims], Claims] = lambda claims: claims
    """Changes an ID token's claims before they are signed."""
    sign: Callable[[Claims], str] | None = None
    """Makes the ID token instead."""
    discovery: Claims = field(default_factory=dict[str, Any])
    """Put over the openid-configuration."""
    answers: dict[str, web.Response] = field(default_factory=dict[str, web.Response])
    """Given instead, by path."""


@dataclass
class FakeProvider:
    """One provider with one client."""

    redirect_uris: set[str] = field(default_factory=set[str])
    account: Claims = field(default_factory=lambda: {"sub": "person-1"})
    """Who is logged in there."""
    faults: Faults = field(default_factory=Faults)
    asked: list[str] = field(default_factory=list[str])
    """Paths of the requests so far."""
    issuer: str = ""
    key: jwk.Key = field(default_factory=lambda: jwk.RSAKey.generate_key(2048, auto_kid=True))
    algorithm: str = "RS256"
    _codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def token(self, claims: Claims, **header: Any) -> str:
        """Sign claims."""
        head = {"alg": self.algorithm, "kid": self.key.kid} | header
        return jwt.encode(head, claims, self.key, [self.algorithm])

    def claims(self, nonce: str) -> Claims:
        """Of an ID token for who is logged in."""
        now = int(time.time())
        return {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce} | self.account

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[FakeProvider]:
        """Listen on a free port."""
        app = web.Application(middlewares=[self._faulty])
        app.add_routes(
            [
                web.get("/realm/.well-known/openid-configuration", self._discovery),
                web.get("/realm/authorize", self._authorize),
                web.post("/realm/token", self._token),
                web.get("/realm/keys", self._keys),
            ]
        )
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}/realm"
            yield self
        finally:
            await runner.cleanup()

    @web.middleware
    async def _faulty(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        self.asked.append(request.path)
        found = self.faults.answers.get(request.path)
        if found is not None:
            return web.Response(status=found.status, body=found.body, headers=found.headers)
        return await handler(request)

    async def _discovery(self, _: web.Request) -> web.Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        return web.json_response(document | self.faults.discovery)

    async def _authorize(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] in self.redirect_uris, query["redirect_uri"]
        assert "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        assert len(query["code_challenge"]) == 43
        assert len(query["state"]) >= 16
        assert len(query["nonce"]) >= 16
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        back = urlencode({"code": code, "state": query["state"], "iss": self.issuer})
        raise web.HTTPFound(f"{query['redirect_uri']}?{back}")

    async def _token(self, request: web.Request) -> web.Response:
        scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
        client, _, secret = b64decode(pair).decode().partition(":")
        if scheme != "Basic" or (unquote_plus(client), unquote_plus(secret)) != (CLIENT, SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        form = await request.post()
        begun = self._codes.pop(str(form.get("code")), None)
        verifier = str(form.get("code_verifier", ""))
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if (
            begun is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != begun["redirect_uri"]
            or challenge != begun["code_challenge"]
            or not 43 <= len(verifier) <= 128
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = self.faults.claims(self.claims(begun["nonce"]))
        token = self.faults.sign(claims) if self.faults.sign else self.token(claims)
        return web.json_response({"access_token": "a", "token_type": "Bearer", "id_token": token})

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [self.key.as_dict(private=False) | {"use": "sig"}]})
