"""What each way to log in has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.routing import Route

from gptbot.platforms.base import GatewayContext
from gptbot.platforms.web.access.answers import Answers
from gptbot.platforms.web.session import Session, Sessions
from gptbot_api.base import seconds
from gptbot_api.web import WebAccess

_LONGEST = 400 * 86_400
"""Seconds that browsers keep a cookie, at most."""


class Gate(Protocol):
    """One way to log in."""

    form: str
    """HTML of what the login page has people do."""
    script: bool
    """Whether the pages look for a token in their own address."""

    async def bearer(self, request: Request) -> Session | None:
        """Who a request is from that brings its own proof and no cookie."""
        ...

    def routes(self) -> Sequence[Route]:
        """What logging in takes."""
        ...


def access_key(access: WebAccess, *secrets: str) -> str:
    """What sessions hang on: where one of it changes, everybody logs in anew."""
    oidc, token = access.oidc, access.token
    parts = [access.mode, *secrets]
    parts += [oidc.issuer, oidc.client_id] if oidc else []
    parts += [token.issuer, token.audience] if token else []
    return "\x1f".join(parts)


def make_gate(context: GatewayContext, access: WebAccess, answers: Answers) -> tuple[Gate | None, Sessions]:
    """The gate of a page, None where it is open, and its sessions. What a gate needs is imported here.

    Raises InvalidManifest when a Secret that it needs is not there, or holds something else.
    """
    keys, lifetime = context.keys, min(_LONGEST, seconds(access.session))
    match access.mode:
        case "password":
            from gptbot.platforms.web.access.password import PasswordGate

            assert access.password_secret_ref is not None
            where = "spec.platforms.web.access.passwordSecretRef"
            password = context.bot.secret(access.password_secret_ref, where)
            sessions = Sessions(keys, access_key(access, password))
            return PasswordGate(context, sessions, answers, password, where, lifetime), sessions
        case "oidc":
            from gptbot.platforms.web.access.oidc import OidcGate

            assert access.oidc is not None
            sessions = Sessions(keys, access_key(access))
            return OidcGate(context, sessions, answers, access.oidc, lifetime), sessions
        case "token":
            from gptbot.platforms.web.access.hosttoken import TokenGate

            assert access.token is not None
            sessions = Sessions(keys, access_key(access))
            return TokenGate(context, sessions, answers, access.token, lifetime), sessions
        case "open":
            return None, Sessions(keys, access_key(access))
