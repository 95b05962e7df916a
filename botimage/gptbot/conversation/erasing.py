"""What `!forget me` and `!forget chat` erase: what is kept, and what waits; of a person, in all chats."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

from gptbot.conversation import commands
from gptbot.conversation.arguments import WrongArgument, parse
from gptbot.conversation.forgetting import Erased, Forgetting
from gptbot.inbox.changes import Changes
from gptbot.inbox.chats import Chat, Chats
from gptbot.inbox.envelope import FORGET, Envelope
from gptbot.inbox.mailbox import Mailbox
from gptbot.locales import texts
from gptbot.platforms.base import Sender
from gptbot_api import GptBotSpec

What = Literal["me", "chat"]


async def erase_at_once(
    mailbox: Mailbox, sender: Sender, spec: GptBotSpec, conversation: str, envelope: Envelope
) -> Mapping[str, int]:
    """Erase what a command asks for before it gets into line, and end what is being answered; what there was of each.

    Empty: the command is to explain itself, or its author may not. The command erases again when it is run: an answer
    that others wait for too has gone on until then. Raises StoreUnavailable, SendError.
    """
    try:
        what: What | None = parse(commands.command(FORGET), envelope.text, spec, texts(envelope.language)).get("what")
    except WrongArgument:
        return {}
    if what is None or (what == "chat" and not (envelope.direct or envelope.administrator)):
        return {}
    erasing = Erasing(mailbox, sender, spec, envelope.event, waiting=True)
    return await erasing.run(what, Chat(conversation, envelope.speaker), envelope.user, direct=envelope.direct)


class Erasing:
    """Carries one command out. Raises StoreUnavailable, SendError."""

    def __init__(self, mailbox: Mailbox, sender: Sender, spec: GptBotSpec, event: str, *, waiting: bool) -> None:
        """`event`: the command's own. `waiting`: whether what waits for its answer goes too: it came before that."""
        self._mailbox = mailbox
        self._sender = sender
        self._spec = spec
        self._event = event
        self._waiting = waiting
        self._forgetting = Forgetting(mailbox)

    async def run(self, what: What, here: Chat, user: str, *, direct: bool) -> Mapping[str, int]:
        """Erase what is kept of a person or of a chat; in private, of both. How much there was of each kind."""
        erased = list[Erased]()
        known, chats = Chats(self._mailbox.store, self._mailbox.keys), {here}
        if what == "me":
            chats |= set(await known.of(user))  # a person may have had two names in a chat
            if not direct and not here.speaker:  # another version's: a group must not be taken for a private chat
                chats.discard(here)
        for chat in chats:
            if chat.speaker and what == "me":
                erased.append(await self._said(chat, user))
            else:
                erased.append(await self._chat(chat.conversation))
                for other, as_known in await known.people(chat.conversation):
                    await known.part(other, as_known, self._event)
            if what == "me" or direct:
                await known.part(user, chat, self._event)
        if what == "me" or direct:
            erased.append(await self._forgetting.person(user, self._spec))
        found = Counter[str]()
        for part in erased:
            found.update({name: int(value) for name, value in dataclasses.asdict(part).items()})
        return dict(found)

    async def _chat(self, conversation: str) -> Erased:
        dropped = await self._drop_waiting(conversation, lambda _: True)
        return dataclasses.replace(await self._forgetting.chat(conversation, self._sender), waiting=dropped)

    async def _said(self, chat: Chat, user: str) -> Erased:
        dropped = await self._drop_waiting(chat.conversation, lambda message: message.user == user)
        return dataclasses.replace(await self._forgetting.said(chat), waiting=dropped)

    async def _drop_waiting(self, conversation: str, wanted: Callable[[Envelope], bool]) -> int:
        if not self._waiting:
            return 0
        events = [message.event for message in await self._mailbox.waiting(conversation) if wanted(message)]
        return await Changes(self._mailbox).delete(conversation, events)
