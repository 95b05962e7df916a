"""A store's address: one server, the primary that Sentinel names, or a cluster. Bot and operator read it alike."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

CA_VARIABLE = "GPTBOT_STORE_CA"
"""Environment variable: file with the certificate authorities of stores whose URLs name none. The bot reads it where
it runs; the operator hands those of the shared store out within its URL, and knows of others what their URLs say."""

_SCHEMES: dict[str, tuple[Literal["server", "socket", "sentinel", "cluster"], bool]] = {
    "redis": ("server", False),
    "rediss": ("server", True),
    "unix": ("socket", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_TLS_OPTIONS = frozenset(
    {"ssl_ca_certs", "ssl_ca_data", "ssl_cert_data", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"}
)
_SENTINEL_OPTIONS = frozenset({"sentinel_username", "sentinel_password"})
_PORTS = {"sentinel": 26379}
_FALSE = frozenset({"false", "no", "0"})

Address = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """What a store's URL says. Options have the names that redis-py gives them."""

    kind: Literal["server", "socket", "sentinel", "cluster"]
    addresses: tuple[Address, ...]
    """The server; the sentinels; some servers of the cluster. Empty for a socket."""
    path: str = ""
    """Of the socket."""
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    database: int = 0
    service: str = ""
    """Name that the sentinels know the primary by."""
    options: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @classmethod
    def parse(cls, text: str) -> StoreUrl:
        """Read a URL. Raises ValueError that says what is wrong, and repeats nothing that may be a password."""
        try:
            parts = urlsplit(text.strip())
        except ValueError:
            raise ValueError("the store's URL cannot be read: percent-encode the password") from None
        if parts.scheme not in _SCHEMES:
            raise ValueError(f"the store's URL has no known scheme: it must begin with {_schemes()}")
        kind, tls = _SCHEMES[parts.scheme]
        options = _options(parts, kind, tls)
        userinfo, _, hosts = parts.netloc.rpartition("@")
        username, _, password = (unquote(part) for part in userinfo.partition(":"))
        path = unquote(parts.path)
        service, database = "", options.pop("db", "")
        if kind == "socket":
            if hosts or len(path) < 2:
                raise ValueError("the store's URL names no socket: write unix:///PATH, or unix://:PASSWORD@/PATH")
        elif kind == "sentinel":
            service, _, rest = path.strip("/").partition("/")
            database = rest or database
            if not service:
                raise ValueError("the store's URL names no service: write redis+sentinel://HOST:26379/SERVICE/0")
        else:
            database = path.strip("/") or database
        if database and not (database.isascii() and database.isdigit()):
            raise ValueError("the database in the store's URL is not a number: it is what stands behind the last /")
        if kind == "cluster" and int(database or 0):
            raise ValueError("the store's URL names a database: a cluster has only 0")
        return cls(
            kind=kind, addresses=() if kind == "socket" else _addresses(hosts, kind),
            path=path if kind == "socket" else "", tls=tls, username=username or None, password=password or None,
            database=int(database or 0), service=service, options=options,
        )  # fmt: skip

    def ssl_context(self, authorities: str | None = None) -> ssl.SSLContext | None:
        """What TLS is to check; None without TLS. Raises ValueError when a certificate cannot be used.

        `authorities`: file with those to trust where the URL names none; None: the system's.
        """
        if not self.tls:
            return None
        named, data = self.options.get("ssl_ca_certs"), self.options.get("ssl_ca_data")
        try:
            context = ssl.create_default_context(cafile=named or (None if data else authorities), cadata=data)
            if pem := self.options.get("ssl_cert_data"):
                descriptor = memory_file(pem)
                try:
                    context.load_cert_chain(path_of(descriptor))
                finally:
                    os.close(descriptor)
            elif certificate := self.options.get("ssl_certfile"):
                context.load_cert_chain(certificate, self.options.get("ssl_keyfile"))
        except (OSError, ValueError) as error:  # SSLError is an OSError
            reason = "it holds no certificate, or not the key that goes with it"
            if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
                reason = error.strerror
            raise ValueError(
                f"a certificate of the store cannot be used ({reason}): look at the ssl_ options of its URL, "
                f"or at {CA_VARIABLE}"
            ) from None
        context.check_hostname = self.options.get("ssl_check_hostname", "true").lower() not in _FALSE
        return context


def memory_file(text: str) -> int:
    """A file that is never on a disk, for OpenSSL, which takes keys from files only. Its descriptor is to be closed.

    Raises ValueError where the system has no such files.
    """
    if not hasattr(os, "memfd_create"):
        raise ValueError("ssl_cert_data works on Linux only: use ssl_certfile and ssl_keyfile")
    descriptor = os.memfd_create("pem")
    os.write(descriptor, text.encode())
    return descriptor


def path_of(descriptor: int) -> str:
    """A path by which this process can open a file again, from its beginning."""
    return f"/proc/self/fd/{descriptor}"


def login_as(text: str, username: str, password: str) -> str:
    """The same store's URL with another login; the text must be a URL that can be read."""
    parts = urlsplit(text.strip())
    hosts = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(username, safe='')}:{quote(password, safe='')}@{hosts}"))


def trusting(text: str, authorities: str) -> str:
    """The same store's URL with certificate authorities (PEM) in it, if it is one over TLS that names none.

    What cannot be read stays as it is: `StoreUrl.parse` says what is wrong with it.
    """
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return text
    named = {name for name, _ in parse_qsl(parts.query)}
    if not parts.scheme.startswith("rediss") or named & {"ssl_ca_certs", "ssl_ca_data"}:
        return text
    option = f"ssl_ca_data={quote(authorities, safe='')}"
    return urlunsplit(parts._replace(query=f"{parts.query}&{option}" if parts.query else option))


def _schemes() -> str:
    *first, last = (f"{scheme}://" for scheme in _SCHEMES)
    return f"{', '.join(first)} or {last}"


def _options(parts: SplitResult, kind: str, tls: bool) -> dict[str, str]:
    known = {"db"} if kind in ("server", "socket") else set[str]()
    known |= _TLS_OPTIONS if tls else frozenset()
    known |= _SENTINEL_OPTIONS if kind == "sentinel" else frozenset()
    try:
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError("the options of the store's URL cannot be read: write ?NAME=VALUE&NAME=VALUE") from None
    for name in options:
        if name not in known:
            hint = f"; known here: {', '.join(sorted(known))}" if known else ""
            # A password with a ? in it ends up here: do not repeat it.
            shown = f"the option {name}" if name in _TLS_OPTIONS | _SENTINEL_OPTIONS | {"db"} else "an unknown option"
            raise ValueError(f"the store's URL has {shown}, which {parts.scheme}:// does not take{hint}")
    if parts.fragment:
        raise ValueError("the store's URL has a # in it: percent-encode the password (%23)")
    return options


def _addresses(hosts: str, kind: str) -> tuple[Address, ...]:
    found: list[Address] = []
    for part in hosts.split(","):
        try:
            address = urlsplit(f"//{part}")
            host, port = address.hostname, address.port
        except ValueError:
            raise ValueError(
                "a port in the store's URL is not one: write HOST:PORT, and percent-encode the password"
            ) from None
        if not host or address.path:
            raise ValueError("the store's URL names no host: write HOST:PORT, several with commas between")
        found.append((host, port or _PORTS.get(kind, 6379)))
    if kind == "server" and len(found) > 1:
        raise ValueError("the store's URL names several hosts: write redis+sentinel:// or redis+cluster://")
    return tuple(found)
