"""What the store holds and nobody can read is put aside under another name, counted, and begun anew.

A key of another type than it should have, or one whose numbers are none, makes every command and function fail that
meets it. The store's connection has it put aside then, as `KEY:unreadable`, and does what it was asked to once more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from gptbot.inbox.keys import KINDS, OF_THE_BOT, kind_of
from gptbot.telemetry import metrics
from gptbot.telemetry.logs import get_logger

log = get_logger("store")

ASIDE_TTL = 24 * 3600.0
"""Seconds that what was put aside is kept, for whoever wants to know what it was."""
ASIDE = ":unreadable"
"""What the name of a key that was put aside ends with."""
LINE = ("runnable", "line", "waiting", "later")
"""Keys that tell where a conversation stands: one that is lost is made anew of the others."""
_NUMBERS = frozenset({"tokens", "floods", "rate", "pace", "p:holding"})
_UNREADABLE = ("not an integer", "not a valid float", "user_function", "would overflow", "exhausted the last")
_MOST_KEYS = 64
_MOST_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class PutAside:
    """A key that was put aside."""

    key: str
    kind: str
    """Its name in `gptbot.inbox.keys.KINDS`."""
    found: str
    """The type that it had."""


def keys_of(args: Sequence[Any]) -> list[str]:
    """The keys of bots that a command, or a function of the store, was given."""
    named = args[3 : 3 + int(args[2])] if args[0] == "FCALL" else args[1:]
    return [arg for arg in named if isinstance(arg, str) and arg[:1] == "{" and kind_of(arg)][:_MOST_KEYS]


def arguments(keys: Iterable[str]) -> tuple[list[str], list[Any]]:
    """Keys and arguments of `mend.lua` for keys of one bot. Raises ValueError where there is none."""
    places, told, prefix = list[str](), list[Any](), ""
    for key in dict.fromkeys(keys):
        found = kind_of(key)
        if found is None or (prefix and found[0] != prefix):
            continue
        prefix, rest, kind = found
        form = kind if kind == "owner" else "numbers" if kind in _NUMBERS else ""
        places += [key, key + ASIDE]
        told += [KINDS[kind], form, rest if rest in OF_THE_BOT or (kind in OF_THE_BOT and kind[:2] == "p:") else ""]
    if not places:
        raise ValueError("no key of a bot")
    return [f"{prefix}unreadable", *places], [int(ASIDE_TTL * 1000), *told]


async def mend(
    keys: Sequence[str],
    run: Callable[[list[str], list[Any]], Awaitable[list[tuple[int, bytes]]]],
    restore: Callable[[list[str]], Awaitable[Any]],
    command: Callable[..., Awaitable[Any]],
) -> list[PutAside]:
    """Put aside which of the keys of a bot cannot be read. `run` runs `mend.lua`, `restore` the function of that name.

    Raises StoreUnavailable, and ResponseError where the store refuses the functions.
    """
    places, told = arguments(keys)
    prefix = places[0].removesuffix("unreadable")
    aside = list[PutAside]()
    for number, found in await run(places, told):
        key = places[2 * number - 1]
        aside.append(PutAside(key, named[2] if (named := kind_of(key)) else "?", found.decode()))
    for each in aside:
        # Names of conversations and users are pseudonyms, and stay out of logs and metrics all the same.
        count(prefix, each.kind)
        log.error("a key of the store cannot be read; it is put aside, and what it held begins anew",
                  key=each.kind, type=each.found, bot=_bot(prefix))  # fmt: skip
        if each.kind == "mail":
            await _bury(each, prefix, command)
    if any(each.kind in LINE for each in aside):
        # Another of them may be spoiled as well, and `restore` reads them all.
        line = [f"{prefix}{name}" for name in LINE]
        await run(*arguments(line))
        await restore(line)
    return aside


async def _bury(mail: PutAside, prefix: str, command: Callable[..., Awaitable[Any]]) -> None:
    """Make a dead letter of a mailbox that nobody can read, so that somebody hears of it."""
    dead, conversation = f"{prefix}dead", mail.key.removeprefix(f"{prefix}mail:")
    reason = f"unreadable: the key `mail` is a {mail.found}"
    await command("XADD", dead, "MAXLEN", "~", _MOST_LETTERS, "*", "c", conversation, "r", reason, "m", "")
    await command("PEXPIRE", dead, int(ASIDE_TTL * 1000), "NX")


def count(bot: str, kind: str, values: int = 1) -> None:
    """Note values of a kind (`KINDS`) that cannot be read. `bot`: `namespace/name`, or the prefix of its keys."""
    metrics.UNREADABLE.labels(bot=_bot(bot), kind=kind).inc(values)


def _bot(prefix: str) -> str:
    return prefix.removeprefix("{").removesuffix("}:")


def is_unreadable(error: ResponseError) -> bool:
    """Whether an error reply may come from a value that is not what it should be."""
    text = str(error)
    return text.startswith("WRONGTYPE") or (text.startswith("ERR") and any(part in text for part in _UNREADABLE))
