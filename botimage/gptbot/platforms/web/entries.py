"""The stream of a session: what lies in it, under which key, and for how long. Shared by workers and gateways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import orjson

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mending import count
from gptbot.platforms.base import Button
from gptbot.platforms.kinds import Kind as KindOfFile
from gptbot_api import GptBotSpec
from gptbot_api.base import seconds

CAP = 200
"""Entries a session's stream keeps, about: each message is one entry, and one more while it is being written."""

_VERSION = b"1"
_KINDS_OF_FILES = frozenset(get_args(KindOfFile))
"""Mark of an entry that this version can read."""

_END_SECONDS = 60
"""How long pages that are not connected at the moment can still learn that the conversation was left."""

Kind = Literal["user", "bot", "typing", "end"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One state of one message. A later entry of the same message replaces the earlier one."""

    id: str
    """Id in the stream: milliseconds and a counter, `1700000000000-0`."""
    kind: Kind
    """`end`: what stood before was deleted."""
    message: str = ""
    """Id of the message; empty for `typing` and `end`."""
    text: str = ""
    """What the user wrote, redacted; or the bot's Markdown."""
    final: bool = True
    """No later entry of this message follows."""
    buttons: tuple[Button, ...] = ()
    """Below the bot's message."""
    files: tuple[str, ...] = ()
    """Kinds of the files that came with the user's message."""

    @property
    def position(self) -> tuple[int, int]:
        """Where it stands in the stream, for comparing."""
        return position(self.id)

    @property
    def milliseconds(self) -> int:
        """When it was written, by the store's clock, since 1970."""
        return self.position[0]


def position(entry_id: str) -> tuple[int, int]:
    """An id of a stream as numbers. Raises ValueError when it is none."""
    milliseconds, _, count = entry_id.partition("-")
    return int(milliseconds), int(count)


def stream_key(keys: BotKeys, session: str) -> str:
    """Key of the stream of a session, by the session's pseudonym."""
    return keys.platform("web", f"session:{session}")


def lifetime(spec: GptBotSpec) -> int:
    """Seconds a session is kept after its last message: the context's time, or the retention when that is shorter."""
    return min(seconds(spec.context.ttl), seconds(spec.privacy.retention))


def add(
    key: str,
    kind: Kind,
    message: str = "",
    text: str = "",
    *,
    final: bool = True,
    buttons: Sequence[Button] = (),
    files: Sequence[str] = (),
) -> tuple[str, ...]:
    """The XADD command that writes one entry."""
    fields = ("k", kind, "i", message, "t", text, "f", "1" if final else "0", "v", _VERSION.decode())
    if buttons:
        fields += ("b", orjson.dumps([[button.label, button.command] for button in buttons]).decode())
    if files:
        fields += ("a", " ".join(files))
    return ("XADD", key, "MAXLEN", "~", str(CAP), "*", *fields)


def leave(key: str) -> list[tuple[Any, ...]]:
    """The commands that delete a conversation and tell its open pages, which then begin anew."""
    return [("UNLINK", key), add(key, "end"), ("EXPIRE", key, _END_SECONDS)]


def decode(items: Sequence[Any], bot: str) -> list[Entry]:
    """Entries as XRANGE and XREAD return them: a list of `[id, [field, value, ...]]`. Raises nothing.

    What cannot be read, or has the mark of another version, is left out and counted.
    """
    entries: list[Entry] = []
    for entry_id, raw in items:
        flat = cast(Sequence[bytes], raw)
        try:
            entries.append(_entry(entry_id.decode(), dict(zip(flat[::2], flat[1::2], strict=True))))
        except (ValueError, KeyError):
            count(bot, "p:web:session")
    return entries


def _entry(entry_id: str, fields: Mapping[bytes, bytes]) -> Entry:
    """Raises ValueError and KeyError."""
    if fields.get(b"v", _VERSION) != _VERSION:  # without: written before there was a mark
        raise ValueError("an entry of another version")
    kind, buttons = fields[b"k"].decode(), orjson.loads(fields.get(b"b", b"[]"))
    if kind not in get_args(Kind) or not isinstance(buttons, list):
        raise ValueError("not an entry")
    files = tuple(fields.get(b"a", b"").decode().split())
    if not set(files) <= _KINDS_OF_FILES:
        raise ValueError("not a kind of file")
    return Entry(
        id=entry_id,
        kind=cast(Kind, kind),
        message=fields[b"i"].decode(),
        text=fields[b"t"].decode(),
        final=fields[b"f"] == b"1",
        files=files,
        buttons=tuple(map(_button, cast("list[Any]", buttons))),
    )


def _button(fields: Any) -> Button:
    if not isinstance(fields, list) or [type(each) for each in cast("list[Any]", fields)] != [str, str]:
        raise ValueError("not a button")
    return Button(*cast("list[str]", fields))


def latest(entries: Sequence[Entry]) -> list[Entry]:
    """The last state of each message, in the order in which those states were reached; users' messages stay put."""
    messages: dict[str, Entry] = {}
    for entry in entries:
        if entry.kind == "bot":
            messages.pop(entry.message, None)
        if entry.kind in ("user", "bot"):
            messages.setdefault(entry.message, entry)
    return list(messages.values())
