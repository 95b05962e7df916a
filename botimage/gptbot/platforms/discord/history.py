"""What was said in a channel, read over REST when it is asked for: nothing of it is kept (docs/resources/message)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from gptbot.platforms.base import Said
from gptbot.platforms.discord.fields import fields, id_of, number, word
from gptbot.platforms.discord.limits import EPHEMERAL, created
from gptbot.platforms.discord.rest import Refused, Rest
from gptbot.platforms.errors import FloodWait, HistoryClosed, NotSent, OutcomeUnknown, Rejected
from gptbot.platforms.inbound import Address, person

PAGE: Final = 100
"""Messages of one request, at most ("Get Channel Messages")."""
_PATIENCE: Final = 10.0
_TRIES: Final = 4
_LONGEST_WAIT: Final = 20.0
"""Seconds that Discord may ask to wait here; somebody waits for the answer."""
_AT_A_TIME: Final = 2
"""Histories read by one process at the same time: the rest of the bot's requests are for its answers."""
_DEFAULT, _REPLY, _SLASH = 0, 19, 20
_FORBIDDEN: Final = (403, 404)
_CONTENT: Final = (
    "attachments", "embeds", "components", "sticker_items", "poll", "message_snapshots", "activity", "call",
)  # fmt: skip
"""What a message may be made of besides its text."""
_USER = re.compile(r"<@!?(\d+)>")
_PLACES = re.compile(r"<#\d+>|<id:\w+>|https?://(?:\w+\.)?discord(?:app)?\.com/channels/[\d@me/]+")
_ROLE = re.compile(r"<@&\d+>")
_NAMED = re.compile(r"<(?:a?(:\w+:)|(/[^:>]{1,100}):)\d+>")


class History:
    """Reads the channels of one bot."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._me = ""
        self._turns = asyncio.Semaphore(_AT_A_TIME)

    async def read(self, address: Address, since: float) -> AsyncGenerator[Said, None]:
        """See `platforms.base.Remembers.history`.

        Left out are other bots, webhooks and system messages. Without the right to read the history, Discord says that
        there is none; without the message-content intent, messages that do not mention the bot are empty.
        """
        channel = address["channel"]
        asked: str | None = address.get("interaction") or address.get("message")
        before = f"&before={asked}" if asked else ""
        async with self._turns:
            me = await self._own_id()
            first = True
            while True:
                found = await self._get(f"/channels/{channel}/messages?limit={PAGE}{before}", ("messages", channel))
                page = [message for message in found if id_of(message)] if isinstance(found, list) else []
                if first and not page:
                    await self._make_sure(address, channel, asked)
                first = False
                for message in page:
                    if created(id_of(message)) < since:
                        return
                    if (said := _said(message, me)) is not None:
                        yield said
                if len(page) < PAGE:
                    return
                before = f"&before={id_of(page[-1])}"

    async def _make_sure(self, address: Address, channel: str, asked: str | None) -> None:
        """Tell an empty channel from one that may not be read: in that one, not even the question is there.

        A slash command is no message, but the interaction says what the bot may do.
        """
        readable: bool | None = address.get("readable")
        if readable:
            return
        if readable is False:
            raise HistoryClosed("permission")
        after = f"&after={int(asked) - 1}" if asked else ""
        if not await self._get(f"/channels/{channel}/messages?limit=1{after}", ("messages", channel)):
            raise HistoryClosed("permission")

    async def _own_id(self) -> str:
        if not self._me:
            self._me = id_of(await self._get("/users/@me", ("me", "")))
            if not self._me:
                raise NotSent("Discord's API does not tell the bot's id")
        return self._me

    async def _get(self, path: str, route: tuple[str, str]) -> Any:
        """Read, as often as it takes within reason. Raises SendError."""
        failures = 0
        while True:
            try:
                return await self._rest.request("GET", path, route=route, patience=_PATIENCE)
            except Refused as refusal:
                if refusal.status in _FORBIDDEN:
                    raise HistoryClosed("permission") from None
                raise Rejected(str(refusal)) from None
            except (FloodWait, NotSent, OutcomeUnknown) as error:
                failures += 1
                wait = error.retry_after if isinstance(error, FloodWait) else 0.25 * 2**failures
                if failures == _TRIES or wait > _LONGEST_WAIT:
                    raise
                await asyncio.sleep(wait)


def _said(message: Mapping[str, Any], me: str) -> Said | None:
    """A message, or None when it is not one of a person's or the bot's own. Raises HistoryClosed when it is hidden."""
    author, kind = fields(message, "author"), number(message, "type", _DEFAULT)
    user = id_of(author)
    own = user == me
    if number(message, "flags") & EPHEMERAL or kind not in (_DEFAULT, _REPLY, _SLASH) or not user:
        return None
    if not own and (author.get("bot") or author.get("system") or message.get("webhook_id")):
        return None
    text = word(message, "content")
    if not text:
        if not own and kind != _SLASH and not any(message.get(name) for name in _CONTENT):
            raise HistoryClosed("content")  # nobody can send an empty message
        return None
    return Said(author="" if own else user, text=spoken(text, me), sent=created(id_of(message)))


def spoken(content: str, me: str) -> str:
    """The text with marks for the people mentioned, and without ids of roles, channels, emoji and commands."""
    content = _USER.sub(lambda found: "@bot" if found[1] == me else person(found[1]), content)
    content = _PLACES.sub("#channel", _ROLE.sub("@role", content))
    return _NAMED.sub(lambda found: found[1] or found[2], content)
