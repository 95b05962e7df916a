"""A thread that was made of a message has the id of that message (docs/topics/threads): the first question in it comes
with what the thread is about. Later ones do not: the conversation remembers it for as long as anything of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from gptbot.inbox.invocations import command_like
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.platforms.discord.attachments import readable
from gptbot.platforms.discord.fields import Event, fields, id_of
from gptbot.platforms.discord.mapping import Directory, is_thread, quoted
from gptbot.platforms.discord.rest import Refused, Rest
from gptbot.platforms.discord.spoken import to_bot
from gptbot.platforms.errors import SendError
from gptbot.platforms.inbound import Inbound, Intake
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

_PATIENCE: Final = 5.0
_TIMEOUT: Final = 5.0
_NOT_THERE: Final = (403, 404)


def told_key(keys: BotKeys, conversation: str) -> str:
    """Where it stands that a conversation, by its pseudonym, was told what its thread is about."""
    return keys.platform("discord", f"thread:{conversation}")


@dataclass(frozen=True, slots=True)
class Threads:
    """The threads of one bot's guilds."""

    rest: Rest
    directory: Directory
    store: Store
    keys: BotKeys
    intake: Intake
    lasts: Callable[[], float]
    """Seconds that a conversation is remembered after its last message."""
    listens: Callable[[], bool]
    """Whether what does not mention the bot is answered as well."""

    async def with_origin(self, message: Inbound, data: Event) -> Inbound:
        """The message, with what its thread was made of where that is not known yet. Raises nothing."""
        guild = id_of(data, "guild_id")
        if not guild or not (message.addressed or self.listens()) or message.original_at is not None:
            return message
        if self.directory.parent(guild, message.conversation) == "" or command_like(message.text) is not None:
            return message
        if self.intake.barred(message.conversation, message.user, message.principals) is not None:
            return message
        key = told_key(self.keys, self.keys.pseudonym("discord", "conversation", message.conversation))
        try:
            if await self.store.command("SET", key, "1", "EX", max(1, round(self.lasts())), "GET") is not None:
                return message
            if message.event == message.conversation:  # the first message of a forum's post
                return message
            try:
                origin, where = await self._origin(guild, message.conversation)
            except SendError as error:
                await self.store.command("DEL", key)
                log.info("the message that a thread was made of is not known; the next question asks again",
                         reason=type(error).__name__)  # fmt: skip
                return message
        except StoreUnavailable:
            return message
        return self._with(message, origin, where)

    def _with(self, message: Inbound, origin: Event, where: str) -> Inbound:
        read = partial(to_bot, user=self.directory.user, name=self.directory.name, roles=())
        about = quoted(origin, self.directory.user, False, read)
        quotes = [quote for quote in (about, message.quote) if quote]
        files = [*message.attachments, *readable(origin, channel=where)]
        return replace(message, quote="\n\n".join(quotes), attachments=files)

    async def _origin(self, guild: str, thread: str) -> tuple[Event, str]:
        """The message, empty where there is none to read, and the channel it is in. Raises SendError."""
        parent = self.directory.parent(guild, thread)
        if parent is None:  # nobody told of the guild's threads: the session goes on from another process
            channel = fields(await self._get(f"/channels/{thread}", ("channel", thread)))
            parent = id_of(channel, "parent_id") if is_thread(channel) else ""
            if parent:
                self.directory.thread({**channel, "guild_id": guild, "id": thread})
        for channel in (parent, thread) if parent else ():  # a post of a forum holds its first message itself
            found = fields(await self._get(f"/channels/{channel}/messages/{thread}", ("message", channel)))
            if id_of(found) == thread:
                return found, channel
        return {}, ""

    async def _get(self, path: str, route: tuple[str, str]) -> Any:
        try:
            return await self.rest.request("GET", path, route=route, patience=_PATIENCE, timeout=_TIMEOUT)
        except Refused as refused:
            if refused.status not in _NOT_THERE:
                log.info("Discord does not show what a thread was made of", code=refused.code)
            return None
