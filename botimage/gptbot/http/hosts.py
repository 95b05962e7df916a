"""By which names this server is asked: what the `Host` and `Origin` of a request say, and whether to answer.

A name that leads a browser to this machine may be anybody's (DNS rebinding): a page of `evil.example` then shares its
origin with ours. The name it was asked by tells the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_address
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_LONGEST = 300
_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{0,5}))?")
_ORIGIN = re.compile(r"(https?)://(.{1,300})")
_PORTS = {"http": 80, "https": 443}
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""Names that lead to this machine alone, wherever they are looked up."""


class Host(NamedTuple):
    """A host and a port as a header names them."""

    name: str
    """In lower case; an IPv6 address stands in brackets."""
    port: int | None


def parse_host(text: str) -> Host | None:
    """What a `Host` header says (RFC 9110, 7.2), or None where it is malformed."""
    found = _HOST.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    name, port = found[1].lower(), int(found[2]) if found[2] else None
    if (port or 0) > 65535:
        return None
    if name.startswith("["):
        try:
            name = f"[{ip_address(name[1:-1])}]"
        except ValueError:
            return None
    return Host(name.removesuffix("."), port)


def same_origin(origin: str, host: str) -> bool:
    """Whether an `Origin` header names the host that a request was sent to. Malformed is: no."""
    found = _ORIGIN.fullmatch(origin)
    one, other = (parse_host(found[2]), parse_host(host)) if found else (None, None)
    if found is None or one is None or other is None:
        return False
    default = _PORTS[found[1]]
    return (one.name, one.port or default) == (other.name, other.port or default)


def named(name: str, among: Collection[str]) -> bool:
    """Whether a host is one of these names; `*.example.com` stands for all below `example.com`."""
    return any(name == one or (one.startswith("*.") and name.endswith(one[1:])) for one in among)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches what listens at an address."""
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


class KnownHosts:
    """Refuses requests by a malformed name (400), and on a loopback address those by any name but its own (421)."""

    def __init__(self, app: ASGIApp, address: str, hosts: Collection[str]) -> None:
        """`address` is where the server listens; `hosts`, names that a proxy or tunnel on this machine may hand on."""
        self._app = app
        own = f"[{address}]" if ":" in address else address
        self._among = (own, *LOOPBACK, *hosts) if is_loopback(address) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        sent = headers.getlist("host")
        host = parse_host(sent[0]) if len(sent) == 1 else None
        if host is None and (sent or self._among is not None):  # HTTP/1.0 has requests without
            return PlainTextResponse("The Host of this request is malformed.\n", 400)
        if host is not None and self._among is not None and not named(host.name, self._among):
            return misdirected()
        return None


def misdirected() -> PlainTextResponse:
    """The answer to a request by a name that is not ours (RFC 9110, 15.5.20)."""
    return PlainTextResponse("This server does not answer by this name; spec.platforms.web.hosts lists those.\n", 421)
