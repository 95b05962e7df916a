"""Forgetting: erases at once what the store holds of a chat, or of one person, and counts what was erased.

What is left of a person then goes by itself: counters that a limit of the bot needs (erasing those would be the way
round the limit; numbers under a pseudonym), marks of events already seen (pseudonyms that lead to nobody), and the
message that asked for it, until it is answered. docs/privacy.md lists all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gptbot.conversation.context import entry_of
from gptbot.inbox.chats import Chat
from gptbot.inbox.dead import DeadLetter, DeadLetters
from gptbot.inbox.mailbox import MAX_DEAD, Mailbox
from gptbot.inbox.overheard import OverheardMessages
from gptbot.platforms.base import Forgets, Sender
from gptbot_api import GptBotSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How much of each kind was erased."""

    messages: int = 0
    """Questions and answers of the context."""
    summary: bool = False
    """The summary of what was said before those."""
    overheard: int = 0
    """Messages kept for `!summary`."""
    settings: int = 0
    """Things chosen in the chat: role, language and so on."""
    waiting: int = 0
    """Messages that waited for their answers."""
    letters: int = 0
    """Questions that could not be answered."""
    usage: bool = False
    """What was counted of the person's use, where no limit needs it."""

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to erase."""
        return self == Erased()


class Forgetting:
    """Erases for one bot. All methods raise StoreUnavailable; doing it again is no error."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._store, self._keys = mailbox.store, mailbox.keys
        self._overheard = OverheardMessages(mailbox.store, mailbox.keys)
        self._letters = DeadLetters(mailbox.store, mailbox.keys)

    async def chat(self, conversation: str, sender: Sender) -> Erased:
        """Erase all of a conversation, also what its platform's folder keeps of it. Raises SendError, too."""
        keys, store = self._keys, self._store
        messages, summary, overheard, settings = await asyncio.gather(
            store.command("LLEN", keys.context(conversation)),
            store.command("EXISTS", keys.summary(conversation)),
            self._overheard.count(conversation),
            store.command("HLEN", keys.settings(conversation)),
        )
        if isinstance(sender, Forgets):
            await sender.forget(conversation)
        await self._mailbox.forget(conversation)
        letters = await self._drop_letters(lambda letter: letter.conversation == conversation)
        return Erased(
            messages=int(messages), summary=bool(summary), overheard=overheard, settings=int(settings), letters=letters
        )

    async def said(self, chat: Chat) -> Erased:
        """Erase what a person said in a chat where others are, with the answers to it.

        So does the summary go, in which nobody's part can be told from another's.
        """
        keys, conversation = self._keys, chat.conversation
        messages = await self._drop_said(conversation, chat.speaker)
        overheard = await self._overheard.drop_speaker(conversation, chat.speaker)
        summary = await self._store.command("DEL", keys.summary(conversation), keys.folding(conversation))
        await self._store.command("ZREM", keys.met(conversation), chat.speaker)
        return Erased(messages=messages, summary=bool(summary), overheard=overheard)

    async def person(self, user: str, spec: GptBotSpec) -> Erased:
        """Erase what is kept by person, whatever the chat: of the user of that pseudonym."""
        letters = await self._drop_letters(lambda letter: letter.envelope is not None and letter.envelope.user == user)
        unneeded = self._unneeded(user, spec)
        usage = await self._store.command("DEL", *unneeded) if unneeded else 0
        return Erased(letters=letters, usage=bool(usage))

    def _unneeded(self, user: str, spec: GptBotSpec) -> list[str]:
        """Counters of a user that no limit needs."""
        keys, limits, found = self._keys, spec.limits, list[str]()
        if not (limits.tokens_per_user_per_day or limits.cost_per_user_per_day):
            found += [keys.tokens_of(user), keys.told("user-tokens", user)]
        if not limits.per_user.messages:
            found += [keys.rate("user", user), keys.told("user", user)]
        if not limits.mute.after:
            found.append(keys.floods(user))
        return found

    async def _drop_said(self, conversation: str, speaker: str) -> int:
        """Take a person's questions and their answers out of the context, and what names that person."""
        key = self._keys.context(conversation)
        items: list[bytes] = await self._store.command("LRANGE", key, 0, -1)
        gone, theirs = list[bytes](), False
        for item in items:
            role, content = entry_of(item) or ("user", speaker)  # what cannot be read may be theirs
            named = speaker in str(content)
            theirs = named if role != "assistant" else theirs or named
            if theirs:
                gone.append(item)
        removed = await asyncio.gather(*(self._store.command("LREM", key, 1, item) for item in gone))
        return sum(map(int, removed))

    async def _drop_letters(self, wanted: Callable[[DeadLetter], bool]) -> int:
        found: list[Any] = [letter for letter in await self._letters.list(2 * MAX_DEAD) if wanted(letter)]
        return sum(await asyncio.gather(*(self._letters.drop(letter) for letter in found)))
