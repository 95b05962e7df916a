"""The asking half: hands a message in and yields the answer as it grows."""

from __future__ import annotations

import asyncio
import getpass
import os
import secrets
from collections.abc import AsyncIterator

import orjson

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import Inbound, Intake


class NotTaken(Exception):
    """The bot does not take the message: access list or limits."""


def new_session() -> str:
    """A name for a conversation that nobody has had."""
    return secrets.token_hex(8)


async def ask(
    store: Store, keys: BotKeys, intake: Intake, text: str, *, session: str, timeout: float = 300.0
) -> AsyncIterator[str]:
    """The answer to `text`, each time it has grown, the last time whole; what answers other questions is left out.

    `session` keeps a conversation over several calls. Raises NotTaken, StoreUnavailable, and TimeoutError when no more
    comes for `timeout` seconds.
    """
    key = keys.platform("terminal", session)
    tail = await store.command("XREVRANGE", key, "+", "-", "COUNT", 1)
    last = tail[0][0] if tail else b"0"
    event = secrets.token_hex(16)
    accepted = await intake.accept(
        Inbound(
            event=event,
            conversation=session,
            user=_user(),
            text=text,
            direct=True,
            addressed=True,
            address={"session": session, "question": event},
            answer_due=True,
        )
    )
    if not accepted:
        raise NotTaken("the bot does not take the message: spec.answerIn, spec.access or spec.limits forbid it")
    parts: dict[str, str] = {}
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        reply = await store.block("XREAD", "BLOCK", 1000, "STREAMS", key, last, timeout=10)
        if not reply and asyncio.get_running_loop().time() > deadline:
            raise TimeoutError
        for entry, fields in reply[0][1] if reply else ():
            last = entry
            message = orjson.loads(fields[1])
            if message.get("to", event) != event:  # a worker of a version before tells nothing
                continue
            deadline = asyncio.get_running_loop().time() + timeout
            parts[message["id"]] = message["text"]
            yield "".join(parts.values())
            if message["final"]:
                return


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a pod may run as a number without a name
        return str(os.getuid())
