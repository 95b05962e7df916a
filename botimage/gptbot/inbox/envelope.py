"""A message as it lies in the mailbox: redacted, ids hashed, with what must exist for a reply and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import orjson

from gptbot.platforms.inbound import Attachment

RETRY = "retry"
"""Name of the command whose answer the model makes: the last question is asked again."""
CONTINUE = "continue"
"""Name of the command whose answer the model makes: the last answer goes on."""
ASK_THE_MODEL = frozenset({RETRY, CONTINUE, "summary"})
"""Names of the commands for which the model is asked; `stop.lua` has them too."""
USED_UP = frozenset({RETRY, CONTINUE})
"""Commands after which the buttons below the answer that they are about mean nothing any more."""
PRESSED = "pressed"
"""Which answer a button of `CONTINUE` stands below, among the values of its envelope."""
FORGET = "forget"
"""Name of the command that is carried out at the gateway's door, past line and limits."""
ONCE = frozenset({RETRY})
"""Commands that the button below an answer gives once, whoever presses it and however often."""

_FIRST_FIELDS = 11
_FIELDS_OF_A_FILE = 4
_FAR = 2.0**53
"""Seconds; beyond, no time can be told from the next."""
VERSION = 1
"""Mark behind the fields of an envelope, of a form that this version can read; before there was a mark, the length said
it. What stands behind the mark is what a version that does not know it may do without."""
_LATER: tuple[Any, ...] = ("", "", (), False, "")
"""Defaults of the fields that came at the end since, so that the versions of a rollout can read each other's."""


@dataclass(slots=True, kw_only=True)
class Envelope:
    """One message to answer. Nothing changes one; a frozen class takes three times as long to make."""

    event: str
    """Pseudonym of the platform's event, 22 characters: names the reply's parts (nonces)."""
    platform: str
    user: str
    """Pseudonym of the author, the same in all chats."""
    text: str
    """Redacted text, or a command's argument."""
    address: dict[str, Any]
    """Where the answer goes; only the platform reads it."""
    direct: bool
    received: float
    """When it was enqueued, in seconds since 1970."""
    language: str | None = None
    command: str | None = None
    """Name of the command, when it is one."""
    notice: str | None = None
    """A text to send instead of an answer, such as that a limit is reached: its name in the locales."""
    values: dict[str, Any] | None = None
    """Values of the notice's text."""
    speaker: str = ""
    """Pseudonym of the author in this conversation, as the model is told it; empty where nobody else is."""
    quote: str = ""
    """Redacted text of what the message replies to."""
    attachments: tuple[Attachment, ...] = ()
    administrator: bool = False
    """Whether the author administers the group or the bot; asked only for commands that need to know. Of a message that
    is no command: whether it is private, and the author in `access.administrators`."""
    album: str = ""
    """Pseudonym that the parts of one question have in common, where it came as several messages."""
    forwarded: bool = False
    """Whether what was said, or where that is nothing the quote, is somebody else's that the author forwarded."""

    @property
    def plain(self) -> bool:
        """Whether it is for the model: neither a command nor a notice."""
        return self.command is None and self.notice is None

    @property
    def needs_no_model(self) -> bool:
        """Whether it can be answered while the model is away."""
        return self.notice is not None or (self.command is not None and self.command not in ASK_THE_MODEL)

    def encode(self) -> bytes:
        """As JSON."""
        return orjson.dumps([
            self.event, self.platform, self.user, self.text, self.address, self.direct, self.received, self.language,
            self.command, self.notice, self.values, self.speaker, self.quote,
            [[file.kind, file.mime, file.size, dict(file.reference), file.seconds] for file in self.attachments]
            if self.attachments else (),
            self.administrator, self.album, VERSION, self.forwarded,
        ])  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        """From JSON; what an older version left out has its default. Raises ValueError when it is none of ours."""
        fields: Any = orjson.loads(data)
        if not isinstance(fields, list) or len(items := cast("list[Any]", fields)) < _FIRST_FIELDS:
            raise ValueError("not an envelope")
        if (more := len(items) - _FIRST_FIELDS) < len(_LATER):
            items += _LATER[more:]
        event, platform, user, text, address, direct, received, language, command, notice, values, *later = items
        speaker, quote, files, administrator, album, *marks = later
        if marks and marks[0] != VERSION:
            raise ValueError("an envelope of another version")
        forwarded = marks[1] if len(marks) > 1 else False
        _check(event, platform, user, text, speaker, quote, album)
        if not isinstance(address, dict) or not isinstance(files, list | tuple):
            raise ValueError("address or files of an envelope are of a wrong type")
        if type(direct) is not bool or type(administrator) is not bool or type(forwarded) is not bool:
            raise ValueError("a mark of an envelope is none")
        if type(received) not in (int, float) or not -_FAR < received < _FAR:
            raise ValueError("an envelope's time is none")
        if values is not None and not isinstance(values, dict):
            raise ValueError("an envelope's values are of a wrong type")
        _check(*(each for each in (language, command, notice) if each is not None))
        return cls(
            event=event, platform=platform, user=user, text=text, address=cast("dict[str, Any]", address),
            direct=direct, received=received,
            language=language, command=command, notice=notice,
            values=cast("dict[str, Any] | None", values), speaker=speaker, quote=quote,
            administrator=administrator, album=album, forwarded=forwarded,
            attachments=tuple(map(_attachment, cast("list[Any]", files))) if files else (),
        )  # fmt: skip


def _check(*texts: object) -> None:
    for each in texts:
        if not isinstance(each, str):
            raise ValueError("a text of an envelope is none")


def _attachment(fields: Any) -> Attachment:
    if not isinstance(fields, list) or len(cast("list[Any]", fields)) < _FIELDS_OF_A_FILE:
        raise ValueError("not a file of an envelope")
    kind, mime, size, where, *more = cast("list[Any]", fields)
    _check(kind, mime)
    numbers = (size or 0, more[0] or 0) if more else (size or 0,)
    if not isinstance(where, dict) or not all(isinstance(number, int | float) for number in numbers):
        raise ValueError("a file of an envelope is of a wrong type")
    where = cast("dict[str, Any]", where)
    return Attachment(kind=kind, mime=mime, size=size, reference=where, seconds=more[0] if more else None)
