"""Tells commands from other texts."""

from __future__ import annotations

import re
from typing import Protocol

from gptbot_api import GptBotSpec

_CALL = re.compile(r"[!/]([^\s@]+)(?:@\S+)?(?:\s+(.*))?", re.DOTALL)
_NAME = re.compile(r"[!/]([^\W\d_][\w-]{1,31})(?:@\S+)?(?:\s.*)?", re.DOTALL)
_FOR = re.compile(r"[!/][^\s@]{1,64}@([\w.-]{2,40})[^\w\s]{0,8}(?:\s.*)?", re.DOTALL)

_PRESSED = re.compile(r"([\w-]{11})\.\d{1,20}", re.ASCII)


class Commands(Protocol):
    """What there is to know of the commands before one is run."""

    def find(self, name: str, /) -> str | None:
        """The command that has this name in some language."""
        ...

    def nearest(self, name: str, /) -> str | None:
        """The name of a command that was probably meant."""
        ...

    def private(self, spec: GptBotSpec, name: str, argument: str, /) -> bool:
        """Whether the reply to an argument is for the caller alone."""
        ...

    def asks_administrator(self, name: str, /) -> bool:
        """Whether the command has to know if its caller administers the chat."""
        ...


def parse_command(text: str, commands: Commands) -> tuple[str | None, str]:
    """Split `!name argument` or `/name@bot argument` into name and argument; (None, text) when it is none of ours."""
    found = _CALL.fullmatch(text.strip())
    name = commands.find(found[1]) if found is not None else None
    return (None, text) if found is None or name is None else (name, (found[2] or "").strip())


def pressed(argument: str) -> str | None:
    """The answer that a button of the command `continue` stands below; None: nothing that a button sends."""
    found = _PRESSED.fullmatch(argument)
    return None if found is None else found[1]


def command_like(text: str) -> str | None:
    """The name in a text that is written as a command, whoever's: `!weather Paris`, but not `/etc/hosts` or `!!`."""
    found = _NAME.fullmatch(text.strip())
    return found[1] if found is not None else None


def bot_named(text: str) -> str | None:
    """Whom a text that is written as a command names as the bot that it is for: `/help@this_bot`; None: nobody."""
    found = _FOR.fullmatch(text.strip())
    return found[1].rstrip(".-") if found is not None else None
