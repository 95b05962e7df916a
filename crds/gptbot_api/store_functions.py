"""What bots do in their store in one step: a library of functions in Lua, the same for bot and operator.

https://valkey.io/topics/functions-intro/: a server keeps functions with its data, hands them on to its replicas, and
lets a user call them (`FCALL`) who may neither load functions nor run scripts of their own.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_FOLDER = Path(__file__).parent / "lua"
_NUMBERS, _ACCOUNT = ("numbers",), ("numbers", "account")
_LINE, _TURN = ("numbers", "line"), ("numbers", "line", "turn")
_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "amend": _NUMBERS, "attend": (), "bury": _TURN, "claim": (*_TURN, "aside"), "delete": (*_TURN, "withdraw"),
    "done": _TURN, "edit": (*_TURN, "withdraw"), "enqueue": (*_TURN, "withdraw", "known"), "fold": (),
    "giveup": _TURN, "lease": (),
    "left": _ACCOUNT, "limit": _ACCOUNT, "look": (), "mend": _NUMBERS, "note": (), "overhear": ("known",),
    "pace": _NUMBERS, "part": (), "probe": (), "promote": _LINE, "release": (), "renew": (), "reserve": _ACCOUNT,
    "restore": _LINE, "retry": (*_LINE, "aside"), "revive": _LINE, "sent": (), "spend": _ACCOUNT, "stop": _NUMBERS,
    "tries": _NUMBERS,
}  # fmt: skip
"""Function to the parts that stand before it: `lua/NAME.lua` is its body, with KEYS and ARGV."""
_TAKES_IN: Final = frozenset({"enqueue", "limit", "overhear", "probe", "tries"})
"""Refused where the store has no memory left. The others end what was begun, which is what frees some."""


class Library(NamedTuple):
    """A library as `FUNCTION LOAD` takes it."""

    name: str
    """Another for each text, so that bots of two versions can share a store."""
    text: str


@cache
def library() -> Library:
    """The functions of this version of gptbot."""
    parts = {name: "".join(_text(part) for part in ("bounds", *needs, name)) for name, needs in _NEEDS.items()}
    digest = hashlib.sha256("".join(f"{name}\n{text}" for name, text in parts.items()).encode()).hexdigest()[:12]
    told = [_registered(f"{name}_{digest}", text, name not in _TAKES_IN) for name, text in parts.items()]
    name = f"gptbot_{digest}"
    return Library(name, f"#!lua name={name}\n" + "".join(told))


@cache
def function(name: str) -> str:
    """What a function is called in the store. Raises LookupError for one that there is not."""
    if name not in _NEEDS:
        raise LookupError(f"no function {name}")
    return f"{name}_{library().name.removeprefix('gptbot_')}"


def names() -> tuple[str, ...]:
    """All functions, by the names that `function` takes."""
    return tuple(_NEEDS)


def _text(name: str) -> str:
    return (_FOLDER / f"{name}.lua").read_text()


def _registered(name: str, body: str, always: bool) -> str:
    flags = "'allow-oom'" if always else ""
    return (
        f"redis.register_function{{function_name='{name}', flags={{{flags}}}, callback=function(KEYS, ARGV)\n"
        f"{body}end}}\n"
    )
