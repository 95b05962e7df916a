"""In which chats a person has written, by pseudonyms: what is erased when they ask in one of them to be forgotten.

The same by chat, so that a group that is forgotten is known of nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot_api.store_functions import function

KNOWN = 2.25
"""Retentions that a chat is known after the person's last message there: so long that may wait, then be remembered."""
_PART = function("part")


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation that a person has written in."""

    conversation: str
    speaker: str
    """The person's name there (`Envelope.speaker`); empty where nobody else is."""


class Chats:
    """The chats of one bot's people. All methods raise StoreUnavailable."""

    def __init__(self, store: Store, keys: BotKeys) -> None:
        self._store = store
        self._keys = keys

    async def of(self, user: str) -> list[Chat]:
        """Where a user has written of late."""
        found = await self._store.command("ZRANGE", self._keys.chats(user), 0, -1)
        return [Chat(*pair) for item in found if (pair := _pair(item))]

    async def people(self, conversation: str) -> list[tuple[str, Chat]]:
        """Who has written in a group of late: users, and the chat as each is known in it."""
        found = await self._store.command("ZRANGE", self._keys.people(conversation), 0, -1)
        return [(pair[0], Chat(conversation, pair[1])) for item in found if (pair := _pair(item))]

    async def part(self, user: str, chat: Chat, without: str) -> None:
        """Forget that a user has written there, unless a message of theirs waits there, other than `without`."""
        names, there = self._keys, chat.conversation
        keys = (names.chats(user), names.mail(there), names.people(there), names.aside(there))
        await self._store.run(_PART, keys, user, f"{there} {chat.speaker}", without, f"{user} {chat.speaker}")


def _pair(item: bytes) -> tuple[str, str] | None:
    """The two words of a member; None where there are not two."""
    first, space, second = item.decode(errors="replace").partition(" ")
    return (first, second) if space and " " not in second else None
