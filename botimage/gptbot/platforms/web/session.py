"""Who is there: a session that the server made and signed, in a cookie; and whether a request comes from our own page.

A cookie is `ID.UNTIL.WHO.MAC`: the random id of a conversation, until when it holds (0: as long as the browser keeps
it), and a pseudonym of who logged in, where somebody did. Every replica checks it; nobody else can make one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from gptbot.http.hosts import same_origin
from gptbot.inbox.keys import BotKeys

_LONGEST = 16_000
_SIGNED = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9]{1,11})\.([A-Za-z0-9_-]{0,22})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation of one browser."""

    id: str
    """128 random bits, base64url."""
    who: str = ""
    """Pseudonym of who logged in; empty where nobody does, or all by the same password."""
    until: int = 0
    """Seconds since 1970; 0: as long as the browser keeps it."""
    cookie: bool = True
    """Whether a cookie holds it: else each request brings a token."""

    @property
    def user(self) -> str:
        """Whom limits count for."""
        return f"user:{self.who}" if self.who else self.id

    @property
    def left(self) -> float | None:
        """Seconds that it holds still; None: as long as the browser keeps it."""
        return max(0.0, self.until - time.time()) if self.until else None

    def afresh(self) -> Session:
        """Another conversation of the same person."""
        return replace(self, id=new_id()) if self.cookie else self


def new_id() -> str:
    """A session's id."""
    return secrets.token_urlsafe(16)


class Signer:
    """Signs what browsers keep for us, for one purpose. All replicas of a bot have the same key."""

    def __init__(self, keys: BotKeys, *purpose: str) -> None:
        self._key = hmac.digest(keys.pepper, "\x1f".join(("web", keys.bot, *purpose)).encode(), hashlib.sha256)

    def mac(self, text: str) -> str:
        """43 characters of HMAC-SHA256, base64url."""
        return urlsafe_b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).rstrip(b"=").decode()

    def fits(self, text: str, mac: str) -> bool:
        """Whether we made it, in constant time."""
        return hmac.compare_digest(self.mac(text).encode(), mac.encode())


class Sessions:
    """The sessions of one bot's page."""

    def __init__(self, keys: BotKeys, access: str) -> None:
        """`access` says how people log in: when it changes, by another password say, no earlier session holds."""
        self._bot = keys.bot
        self._signer = Signer(keys, "session", access)

    def read(self, request: Request) -> Session | None:
        """The session that a request carries, or None where it carries none of ours that holds still."""
        session = self._signed(request)
        return session if session and (not session.until or session.until > time.time()) else None

    def begin(self, request: Request, who: str = "", lifetime: int = 0) -> Session:
        """A new session, for `lifetime` seconds (0: as long as the browser keeps it).

        Whoever is the same person as before (`who`) keeps the conversation.
        """
        before = self._signed(request)
        same = before is not None and bool(who) and before.who == who
        return Session(before.id if before and same else new_id(), who, int(time.time()) + lifetime if lifetime else 0)

    def give(self, response: Response, request: Request, session: Session, lifetime: int) -> None:
        """Have the browser keep the session as long as its login holds, or for `lifetime` seconds without one."""
        if session.cookie:
            left = int(session.left or 0) if session.until else lifetime
            text = f"{session.id}.{session.until}.{session.who}"
            value = f"{text}.{self._signer.mac(text)}"
            give_cookie(response, request, cookie_name(request, self._bot), value, left)

    def end(self, response: Response, request: Request) -> None:
        """Have the browser forget the session."""
        give_cookie(response, request, cookie_name(request, self._bot), "", 0)

    def _signed(self, request: Request) -> Session | None:
        found = _SIGNED.fullmatch(cookie(request, cookie_name(request, self._bot)))
        if found is None or not self._signer.fits(found[0].rpartition(".")[0], found[4]):
            return None
        return Session(found[1], found[3], int(found[2]))


def cookie_name(request: Request, bot: str, suffix: str = "") -> str:
    """Name of a cookie of the bot `namespace/name`: bots that share a host do not share sessions.

    Over HTTPS the prefix has browsers take it from this very host alone and over HTTPS alone (RFC 6265bis, 4.1.3):
    nobody at a neighbouring name can plant one. `__Host-` goes with the path `/`, so it is for a page at the root.
    """
    prefix = ("__Host-" if _at_root(request) else "__Secure-") if is_https(request) else ""
    return f"{prefix}gptbot.{bot.replace('/', '.')}{suffix}"


def cookie(request: Request, name: str) -> str:
    """The value of a cookie, as it was sent; empty: none. Linear, where `http.cookies` is not with quoted values."""
    for header in request.headers.getlist("cookie"):
        for pair in header[:_LONGEST].split(";"):
            key, _, value = pair.partition("=")
            if key.strip() == name:
                return value.strip()
    return ""


def give_cookie(
    response: Response, request: Request, name: str, value: str, lifetime: int,
    same_site: Literal["strict", "lax"] = "strict",
) -> None:  # fmt: skip
    """Have the browser keep a cookie for `lifetime` seconds; 0: forget it.

    Elsewhere than at the root over HTTPS no path is named: the browser takes the directory of the address it sees
    (RFC 6265, 5.1.4), which stays right when a proxy serves the page under a path of its own.
    """
    response.set_cookie(
        name,
        value,
        max_age=lifetime,
        path="/" if name.startswith("__Host-") else None,
        httponly=True,
        samesite=same_site,
        secure=is_https(request),
    )


def is_https(request: Request) -> bool:
    """Whether the browser speaks HTTPS, to us or to a proxy in front. A lie here hurts only the one who tells it."""
    return "https" in (request.scope["scheme"], request.headers.get("x-forwarded-proto", "").split(",")[0].strip())


def _at_root(request: Request) -> bool:
    """Whether the page is at `/` for the browser, as far as we and a proxy's `X-Forwarded-Prefix` know."""
    prefix = request.headers.get("x-forwarded-prefix", "").strip("/")
    return not prefix and not request.scope.get("root_path", "").strip("/")


def from_own_page(request: Request) -> bool:
    """Whether a POST comes from our own page, as the browser tells it.

    `Sec-Fetch-Site` where the browser sends it (not on plain HTTP), else `Origin`. A request with neither comes from no
    browser, so nobody's cookie was borrowed for it.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or same_origin(origin, request.headers.get("host", ""))


def hides_cookies(request: Request) -> bool:
    """Whether the browser kept a strict cookie back because the user followed a link from another site."""
    return request.headers.get("sec-fetch-site") == "cross-site" and request.headers.get("sec-fetch-mode") == "navigate"
