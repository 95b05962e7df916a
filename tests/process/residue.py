"""What a bot leaves behind: everything in its store, what its model was asked, its log and its metrics; and a scan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from redis.exceptions import ResponseError

from gptbot.inbox.store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """A key of the store."""

    key: str
    values: tuple[bytes, ...]
    """All that it holds, whatever its type."""
    ttl: float | None
    """Seconds until it goes; None: never."""

    def holds(self, text: str) -> bool:
        """Whether a text is in its name or its values."""
        return text in self.key or any(text.encode() in value for value in self.values)


async def dump(store: Store) -> list[Kept]:
    """Every key of the store with its values."""
    return [await _kept(store, key) for key in await _names(store)]


async def _names(store: Store) -> list[bytes]:
    names, cursor = set[bytes](), b"0"
    while True:
        cursor, found = await store.command("SCAN", cursor, "COUNT", 500)
        names.update(found)
        if cursor == b"0":
            return sorted(names)


async def _kept(store: Store, key: bytes) -> Kept:
    match await store.command("TYPE", key):
        case b"string":
            values = [await store.command("GET", key)]
        case b"list":
            values = await store.command("LRANGE", key, 0, -1)
        case b"hash":
            values = await store.command("HGETALL", key)
        case b"set":
            values = await store.command("SMEMBERS", key)
        case b"zset":
            values = await store.command("ZRANGE", key, 0, -1, "WITHSCORES")
        case b"stream":
            values = [*_flat(await store.command("XRANGE", key, "-", "+")), *await _readers(store, key)]
        case b"none":  # it went meanwhile
            values = []
        case other:
            raise AssertionError(f"nobody knows how to read a {other!r}")
    left = await store.command("PTTL", key)
    return Kept(key.decode(), tuple(_flat(values)), None if left == -1 else left / 1000)


async def _readers(store: Store, key: bytes) -> list[bytes]:
    found: list[Any] = []
    try:
        groups = await store.command("XINFO", "GROUPS", key)
    except ResponseError as error:
        if "no such key" not in str(error):
            raise
        return []  # it went meanwhile
    for group in groups:
        name = dict(zip(group[::2], group[1::2], strict=True))[b"name"]
        found += [group, await store.command("XINFO", "CONSUMERS", key, name)]
    return _flat(found)


def _flat(values: Any) -> list[bytes]:
    if isinstance(values, (list, tuple, set)):
        return [item for value in values for item in _flat(value)]
    if isinstance(values, dict):
        return [item for pair in values.items() for item in _flat(pair)]
    return [b"" if values is None else values if isinstance(values, bytes) else str(values).encode()]


@dataclass(frozen=True, slots=True)
class Found:
    """Something of a person where it does not belong."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what} in {self.where}"


class Traces:
    """What must not be found: by name, the texts, and for numbers their bytes too."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        self._wanted: list[tuple[str, bytes]] = []
        for name, value in wanted.items():
            forms = {value.encode(), orjson.dumps(value)[1:-1], value.lower().encode()}
            if value.lstrip("-").isdigit():
                number = abs(int(value))
                forms |= {str(number).encode(), number.to_bytes(8, "big"), number.to_bytes(8, "little")}
                forms |= {f"{number:x}".encode()}
            self._wanted += [(name, form) for form in forms]

    def within(self, data: bytes | bytearray, where: str) -> Iterable[Found]:
        """The traces in some bytes, whatever their case."""
        lower = data.lower()
        for name, form in self._wanted:
            if form in data or form in lower:
                yield Found(name, where)

    def in_store(self, kept: Iterable[Kept]) -> Iterable[Found]:
        """The traces in keys and values; `where` names the kind of key."""
        for each in kept:
            yield from self.within(each.key.encode(), f"the name of {kind(each.key)}")
            for value in each.values:
                yield from self.within(value, f"{kind(each.key)}: {value[:300]!r}")


def kind(key: str) -> str:
    """A key without the bot's tag: `mail:…`."""
    return re.sub(r"^\{[^}]*\}:", "", key)
