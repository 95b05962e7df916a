"""Hosts that may be named, and the fields of a GptBot that name some, found by their types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any, cast, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gptbot_api.about import About
from gptbot_api.base import ApiModel
from gptbot_api.network import Hostname
from gptbot_api.refs import HttpUrl
from gptbot_api.spec import GptBotSpec
from gptbot_api.web import OpenIdConnect

_HOST = r"\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}[a-z0-9_.])?"
_URL = re.compile(rf"([a-z][a-z0-9+.-]{{0,30}})://({_HOST})(?::([0-9]{{1,5}}))?(?:[/?#]|\Z)", re.IGNORECASE | re.ASCII)
"""Stricter than any client: what some read otherwise (user info, `\\`, escapes, other alphabets) is no address."""
_ENTRY = re.compile(rf"(\*\.)?({_HOST})(?::([0-9]{{1,5}}))?", re.IGNORECASE | re.ASCII)
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_LAST_PORT = 65535

NOT_CONTACTED: dict[tuple[type[BaseModel], str], str] = {
    (About, "source"): "people are told of it, and open it themselves",
    (OpenIdConnect, "redirect_url"): "the issuer knows it too, sends browsers there and refuses any other",
}
"""Addresses that nothing is sent to by a bot or for it, with the reason."""


class NotAHost(ValueError):
    """A text that names no host, or none that everybody reads alike."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host as a URL has it: lower case, no dot at its end, IPv6 without brackets in its shortest form."""

    name: str
    port: int | None
    """None: nobody knows the scheme's."""

    @classmethod
    def of(cls, url: str) -> Host:
        """Read a URL. Raises NotAHost when it is none whose host everybody reads alike."""
        found = _URL.match(url)
        if found is None or (found[3] and int(found[3]) > _LAST_PORT):
            raise NotAHost("not an address that everybody reads alike")
        return cls(plain(found[2]), int(found[3]) if found[3] else _PORTS.get(found[1].lower()))

    def of_namespace(self, namespace: str) -> bool:
        """Whether it is a Service of that namespace, by a name that can be nothing else."""
        for domain in (f".{namespace}.svc", f".{namespace}.svc.cluster.local"):
            if self.name.endswith(domain) and "." not in self.name.removesuffix(domain):
                return True
        return False


@dataclass(frozen=True, slots=True)
class HostPattern:
    """An entry of `allowedHosts`: `HOST`, `*.DOMAIN` (at any depth, without the domain itself), `*`; `:PORT` behind."""

    name: str
    port: int | None = None
    """None: any."""
    below: bool = False
    """Whether hosts of that domain are meant; with no name, all."""

    @classmethod
    def of(cls, entry: str) -> HostPattern:
        """Read an entry. Raises NotAHost that says what is wrong."""
        if entry == "*":
            return cls("", below=True)
        if not entry.isascii():
            raise NotAHost(f"{entry!r} has letters of another alphabet: write its xn-- form")
        found = _ENTRY.fullmatch(entry)
        if found is None or (found[1] and found[2].startswith("[")):
            raise NotAHost(f"{entry!r} is none of HOST, HOST:PORT, *.DOMAIN and *; IPv6 goes in [brackets]")
        if found[3] and not 0 < int(found[3]) <= _LAST_PORT:
            raise NotAHost(f"{entry!r} has no port between 1 and {_LAST_PORT}")
        return cls(plain(found[2]), int(found[3]) if found[3] else None, below=found[1] is not None)

    def matches(self, host: Host) -> bool:
        """Whether a host is one of those."""
        if self.port is not None and self.port != host.port:
            return False
        if self.below:
            return not self.name or host.name.endswith(f".{self.name}")
        return self.name == host.name


def plain(name: str) -> str:
    """A host's name as names are compared. Raises NotAHost when an IPv6 address is none."""
    if name.startswith("["):
        try:
            return str(IPv6Address(name[1:-1]))
        except ValueError:
            raise NotAHost(f"{name} is no IPv6 address") from None
    return name.lower().removesuffix(".")


def addresses(model: ApiModel, path: str) -> Iterator[tuple[str, str]]:
    """Path and value of each address (`HttpUrl`) in an object of the API, but those of `NOT_CONTACTED`."""
    for name, info in type(model).model_fields.items():
        if (type(model), name) in NOT_CONTACTED:
            continue
        value: Any = getattr(model, name)
        many = cast("list[Any]", value) if isinstance(value, list) else [value]
        for index, item in enumerate(many):
            at = f"{path}.{info.alias or name}" + (f"[{index}]" if isinstance(value, list) else "")
            if isinstance(item, ApiModel):
                yield from addresses(item, at)
            elif isinstance(item, str) and is_address(info):
                yield at, item


def own_addresses() -> list[str]:
    """The addresses that the API itself gives to bots that name none: those of the platforms."""
    found = [info.default for model in models(GptBotSpec) for info in model.model_fields.values() if is_address(info)]
    return sorted(address for address in found if isinstance(address, str))


def models(root: type[BaseModel]) -> set[type[BaseModel]]:
    """The model and all that it can hold."""
    found: set[type[BaseModel]] = set()
    pending: list[Any] = [root]
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found:
            found.add(kind)
            pending += [info.annotation for info in kind.model_fields.values()]
        pending += get_args(kind)
    return found


def is_address(info: FieldInfo) -> bool:
    """Whether a field, or each item of it, is an `HttpUrl`."""
    return _pattern(HttpUrl) in _patterns(info)


def is_hostname(info: FieldInfo) -> bool:
    """Whether a field, or each item of it, is a `Hostname`."""
    return _pattern(Hostname) in _patterns(info)


def _pattern(kind: Any) -> str:
    return next(iter(_patterns(kind)))


def _patterns(node: Any) -> set[str]:
    """The patterns that a type, or a part of it, has to match."""
    if isinstance(node, FieldInfo):
        parts: list[Any] = [node.annotation, *node.metadata]
    else:
        parts = [*get_args(node)]
    pattern = getattr(node, "pattern", None)
    found = {pattern} if isinstance(pattern, str) else set[str]()
    return found.union(*map(_patterns, parts))
