"""What `!forget me` and `!forget chat` erase: what is kept, and what waits to be answered."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from gptbot.conversation import commands
from gptbot.conversation.arguments import WrongArgument, parse
from gptbot.conversation.forgetting import Erased, Forgetting
from gptbot.inbox.changes import Changes
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
    all_of_it = what == "chat" or envelope.direct
    waiting = await mailbox.waiting(conversation)
    events = [message.event for message in waiting if all_of_it or message.user == envelope.user]
    dropped = await Changes(mailbox).delete(conversation, events)
    erased = await erase(
        mailbox, sender, spec, what, conversation=conversation, user=envelope.user, speaker=envelope.speaker,
        address=envelope.address, direct=envelope.direct,
    )  # fmt: skip
    return {**erased, "waiting": dropped}


async def erase(
    mailbox: Mailbox,
    sender: Sender,
    spec: GptBotSpec,
    what: What,
    *,
    conversation: str,
    user: str,
    speaker: str,
    address: dict[str, object],
    direct: bool,
) -> Mapping[str, int]:
    """Erase what is kept of a person or of a chat; in private both are the same. How much there was of each kind.

    Raises StoreUnavailable, SendError.
    """
    forgetting, erased = Forgetting(mailbox), list[Erased]()
    if what == "chat" or direct:
        erased.append(await forgetting.chat(conversation, sender, address))
    if what == "me" or direct:
        erased.append(await forgetting.person(user, conversation, speaker, spec))
    found = Counter[str]()
    for part in erased:
        found.update({name: int(value) for name, value in dataclasses.asdict(part).items()})
    return dict(found)
