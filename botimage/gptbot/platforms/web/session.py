"""Who is there: a random id in a cookie, and whether a request comes from our own page."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

_ID = re.compile(r"^[A-Za-z0-9_-]{22}$")


def cookie_name(bot: str) -> str:
    """Name of the cookie of the bot `namespace/name`: bots that share a host do not share sessions."""
    return f"gptbot.{bot.replace('/', '.')}"


def new_session() -> str:
    """A session id: 128 random bits, base64url."""
    return secrets.token_urlsafe(16)


def session_of(request: Request, bot: str) -> str | None:
    """The session id a request carries, or None when it carries none of ours."""
    value = request.cookies.get(cookie_name(bot), "")
    return value if _ID.match(value) else None


def set_session(response: Response, request: Request, bot: str, session: str, lifetime: int) -> None:
    """Give the session id to the browser, for `lifetime` seconds.

    No path is named: the browser takes the directory of the address it sees (RFC 6265, 5.1.4), which stays right when
    a proxy serves the page under a path of its own.
    """
    response.set_cookie(
        cookie_name(bot),
        session,
        max_age=lifetime,
        path=None,
        httponly=True,
        samesite="strict",
        secure=is_https(request),
    )


def is_https(request: Request) -> bool:
    """Whether the browser speaks HTTPS, to us or to a proxy in front. A lie here hurts only the one who tells it."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "").split(",")[0].strip())


def from_own_page(request: Request) -> bool:
    """Whether a POST comes from our own page, as the browser tells it.

    `Sec-Fetch-Site` where the browser sends it (not on plain HTTP), else `Origin`. A request with neither comes from no
    browser, so nobody's cookie was borrowed for it.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def hides_cookies(request: Request) -> bool:
    """Whether the browser kept a strict cookie back because the user followed a link from another site."""
    return request.headers.get("sec-fetch-site") == "cross-site" and request.headers.get("sec-fetch-mode") == "navigate"
