"""What was said, without ids or names of anyone (docs/reference, Message Formatting)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gptbot.platforms.inbound import person

_MENTION = re.compile(
    r"<(?:@!?(?P<user>\d+)|@&(?P<role>\d+)|#(?P<channel>\d+)|a?:(?P<emoji>\w+):\d+|/(?P<command>[^:<>]+):\d+)>"
)

_LEFT_BY_A_MENTION = re.compile(r"\A[\s,:]+")


def anonymous(content: str) -> str:
    """The text with marks for the people mentioned, and words for the ids of all else."""
    return _MENTION.sub(_word, content)


def _word(mention: re.Match[str]) -> str:
    match mention.lastgroup:
        case "user":
            return person(mention["user"])
        case "role":
            return "@role"
        case "channel":
            return "#channel"
        case "emoji":
            return f":{mention['emoji']}:"
        case _:
            return f"/{mention['command']}"


def to_bot(content: str, user: str, name: str, roles: Iterable[str]) -> str:
    """The same without mentions of the bot around it. `user`, `name`: its own; `roles`: what is mentioned like it."""
    own = "|".join([rf"<@!?{re.escape(user)}>", *(f"<@&{re.escape(role)}>" for role in roles)])
    around = re.split(own, content)
    first, last = 0, len(around) - 1
    while first < last and not around[first].strip():
        first += 1
        around[first] = _LEFT_BY_A_MENTION.sub("", around[first], count=1)
    while first < last and not around[last].strip():
        last -= 1
    return anonymous(f"@{name}".join(around[first : last + 1])).strip()
