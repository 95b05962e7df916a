"""Answers on Discord over plain REST, from any process: typing, send, edit (docs/resources/message)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal, cast

from gptbot.inbox.store import StoreUnavailable
from gptbot.locales import CommandForm
from gptbot.platforms.base import Button, Said, SenderContext
from gptbot.platforms.discord.attachments import fetch_attachment
from gptbot.platforms.discord.fields import id_of, objects, word
from gptbot.platforms.discord.history import History
from gptbot.platforms.discord.limits import (
    ALL,
    EDIT_INTERVAL,
    EPHEMERAL,
    INTERACTION_LIFETIME,
    MAX_CONTENT,
    MAX_NONCE,
    SUPPRESS_EMBEDS,
    TYPING,
    Code,
    created,
)
from gptbot.platforms.discord.places import Places
from gptbot.platforms.discord.registered import Registered
from gptbot.platforms.discord.rendering import render, rows
from gptbot.platforms.discord.rest import Refused, Rest
from gptbot.platforms.discord.shared_buckets import SharedBuckets
from gptbot.platforms.discord.threads import told_key
from gptbot.platforms.errors import FloodWait, MessageGone, NotSent, OutcomeUnknown, Rejected, SendError
from gptbot.platforms.inbound import Address
from gptbot.platforms.pace import Pace
from gptbot_api.base import seconds
from gptbot_api.platforms import Discord

_PATIENCE = 5.0
"""Seconds to wait for a place in a bucket when the text has to get there; an interim edit is dropped instead."""
_EXPIRY_MARGIN = 30.0
_BY_TOKEN = "@"  # noqa: S105 - a mark, no secret
"""Starts the id of a message that an interaction's token made."""
_TOKEN_GONE = (Code.UNKNOWN_WEBHOOK, Code.INVALID_WEBHOOK_TOKEN, Code.UNKNOWN_INTERACTION)


class DiscordSender:
    """The answering half. See `gptbot.platforms.base.Sender`; an address is what `mapping.py` makes.

    A slash command is answered by its interaction's token: the first part fills the deferred answer in (PATCH
    @original, the same however often it is sent). Further parts, and all of it once the token is 15 minutes old, are
    plain messages in the channel, because only those know a nonce; where the bot may not write in the channel, they
    are followups of the interaction. So are all parts of an answer for the caller alone, and of an answer to a button
    where the bot may not write: there is no deferred answer to fill in.
    """

    max_length = MAX_CONTENT
    edit_interval = EDIT_INTERVAL

    def __init__(self, context: SenderContext) -> None:
        settings = cast(Discord, context.settings)
        token = context.bot.secret(settings.token_secret_ref, "spec.platforms.discord.tokenSecretRef")
        shared = SharedBuckets(context.store, context.keys)
        self._rest = Rest(context.http, settings.api_base_url, token, shared)
        self._http, self._api = context.http, settings.api_base_url
        self._store, self._keys = context.store, context.keys
        self._history = History(self._rest)
        self._sees_texts = settings.message_content_intent
        self._registered = Registered(context.store, context.keys)
        self._places = Places(context.store, context.keys, seconds(context.bot.bot.spec.privacy.retention))

    def length(self, text: str) -> int:
        """Unicode code points of the text as it is sent."""
        return len(render(text).strip())

    def pace(self, address: Address) -> Pace:
        """The global limit, under which requests by an interaction's token are not.

        Buckets are of a channel, whose answers come from one worker at a time: `Rest` heeds them, also those that
        another worker used up (`SharedBuckets`).
        """
        counted = _token(address) is None
        return Pace(chat=address["channel"], messages=(ALL,) if counted else (), typing=(TYPING,) if counted else ())

    def conversation(self, address: Address) -> str:
        """A channel or a thread is a conversation."""
        return address["channel"]

    def history(self, address: Address, since: float) -> AsyncGenerator[Said, None]:
        """Get Channel Messages, page by page. See `platforms.base.Remembers`."""
        return self._history.read(address, since)

    async def command_form(self) -> CommandForm:
        """A command that can be tapped, once the gateway has registered it (docs/reference, "Message Formatting")."""
        ids = await self._registered.ids()

        def written(name: str, argument: str) -> str:
            if name in ids:
                return f"</{name}:{ids[name]}> `{argument}`" if argument else f"</{name}:{ids[name]}>"
            prefix = "!" if ids else "/"
            return f"`{prefix}{name} {argument}`" if argument else f"`{prefix}{name}`"

        return written

    def delivers(self, alias: str, *, direct: bool) -> bool:
        """Only a command's own name is a slash command; what is typed is a message, which guilds need not tell of."""
        return direct

    async def withheld(self, address: Address) -> Literal["privacy", "content"] | None:
        """Without the message-content intent, texts of a guild that do not mention the bot are empty."""
        return None if self._sees_texts else "content"

    async def forget(self, conversation: str) -> None:
        """Do not look for missed messages there any more, and tell anew what its thread is about.

        See `platforms.base.Forgets`.
        """
        try:
            await self._places.forget_conversation(conversation)
            await self._store.command("DEL", told_key(self._keys, conversation))
        except StoreUnavailable:
            raise NotSent("the store is away") from None

    async def typing(self, address: Address) -> None:
        """Trigger Typing Indicator; shows for 10 s. A deferred answer shows it by itself.

        Raises FloodWait where the wait is for all requests: a bucket of its own holds up nothing else.
        """
        if _token(address) is not None:
            return
        channel = address["channel"]
        try:
            await self._rest.request("POST", f"/channels/{channel}/typing", route=("typing", channel), timeout=5)
        except FloodWait as flood:
            if flood.scope == "all":
                raise
        except (SendError, Refused):
            pass  # it does not matter

    async def send(
        self, address: Address, text: str, *, nonce: str, first: bool, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Create Message, or fill in the answer of an interaction."""
        patience = _PATIENCE if final else 0.0
        try:
            token = _token(address)
            private = bool(address.get("private"))
            fills = first and "button" not in address
            if private and token is None:
                raise Rejected("the time to answer the caller alone is over")
            if token is not None and (fills or private or not address.get("writable", True)):
                try:
                    return await self._answer(address, token, _content(text, buttons), first=fills, patience=patience)
                except Refused as refused:
                    if private or refused.code not in (*_TOKEN_GONE, Code.UNKNOWN_MESSAGE):
                        raise
            return await self._create(address, _content(text, buttons), nonce=nonce, first=first, patience=patience)
        except Refused as refused:
            raise Rejected(str(refused)) from None

    async def edit(
        self, address: Address, message_id: str, text: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Edit Message, by the token that made it while that is good."""
        patience = _PATIENCE if final else 0.0
        plain_id = message_id.removeprefix(_BY_TOKEN)
        body = _content(text, buttons)
        token = _token(address)
        try:
            if message_id != plain_id and token is not None:
                try:
                    path = f"/webhooks/{address['application']}/{token}/messages/{plain_id}"
                    await self._rest.request(
                        "PATCH", path, route=("edit answer", token), body=body, patience=patience,
                        interaction=True,
                    )  # fmt: skip
                    return
                except Refused as refused:
                    if refused.code not in _TOKEN_GONE:
                        raise
            await self._edit(address["channel"], plain_id, body, patience)
        except Refused as refused:
            if refused.code == Code.UNKNOWN_MESSAGE:
                raise MessageGone("the message is not there any more") from None
            raise Rejected(str(refused)) from None

    async def delete(self, address: Address, message_id: str) -> None:
        """Delete Message, or Delete Followup Message by the token that made it while that is good."""
        plain_id = message_id.removeprefix(_BY_TOKEN)
        token = _token(address)
        try:
            if message_id != plain_id and token is not None:
                try:
                    path = f"/webhooks/{address['application']}/{token}/messages/{plain_id}"
                    route = ("delete answer", token)
                    await self._rest.request("DELETE", path, route=route, patience=_PATIENCE, interaction=True)
                    return
                except Refused as refused:
                    if refused.code not in _TOKEN_GONE:
                        raise
            channel = address["channel"]
            path, route = f"/channels/{channel}/messages/{plain_id}", ("delete message", channel)
            await self._rest.request("DELETE", path, route=route, patience=_PATIENCE)
        except Refused as refused:
            if refused.code != Code.UNKNOWN_MESSAGE:
                raise Rejected(str(refused)) from None

    async def clear(self, address: Address) -> None:
        """Edit Message: without the buttons, one of which was pressed."""
        if not address.get("button") or "message" not in address:
            return
        with contextlib.suppress(Refused):  # it is gone
            await self._edit(address["channel"], address["message"], {"components": []}, _PATIENCE)

    async def fetch(self, address: Address, reference: Mapping[str, Any], limit: int) -> bytes:
        """An attachment, by the message it came with. See `platforms.base.Fetches`."""
        return await fetch_attachment(self._rest, self._http, self._api, address["channel"], reference, limit)

    async def _answer(self, address: Address, token: str, body: dict[str, Any], *, first: bool, patience: float) -> str:
        base = f"/webhooks/{address['application']}/{token}"
        method, path = ("PATCH", f"{base}/messages/@original") if first else ("POST", base)
        route = ("answer" if first else "followup", token)
        if address.get("private") and not first:  # the deferred answer is so already
            body["flags"] |= EPHEMERAL
        message = await self._rest.request(method, path, route=route, body=body, patience=patience, interaction=True)
        return _BY_TOKEN + _made(message)

    async def _create(
        self, address: Address, content: dict[str, Any], *, nonce: str, first: bool, patience: float
    ) -> str:
        channel = address["channel"]
        body = content | {"nonce": _short(nonce), "enforce_nonce": True}
        if first and "message" in address:
            body["message_reference"] = {"message_id": address["message"], "fail_if_not_exists": False}
        path, route = f"/channels/{channel}/messages", ("create message", channel)
        try:
            message = await self._rest.request("POST", path, route=route, body=body, patience=patience)
        except Refused as refused:
            # A reply needs the right to read history; the answer itself does not.
            if refused.code != Code.CANNOT_REPLY_WITHOUT_HISTORY or "message_reference" not in body:
                raise
            del body["message_reference"]
            message = await self._rest.request("POST", path, route=route, body=body, patience=patience)
        message_id = _made(message)
        if message.get("content") != str(body["content"]).strip() or _ids(message) != _ids(body):
            # An earlier try with this nonce got there with an earlier text.
            await self._edit(channel, message_id, content, patience)
        return message_id

    async def _edit(self, channel: str, message_id: str, body: dict[str, Any], patience: float) -> None:
        await self._rest.request(
            "PATCH", f"/channels/{channel}/messages/{message_id}", route=("edit message", channel),
            body=body, patience=patience,
        )  # fmt: skip


def _content(text: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """A message's text and buttons, with nobody pinged by what a model writes, and no previews of its links."""
    return {
        "content": render(text),
        "components": rows(buttons),
        "flags": SUPPRESS_EMBEDS,
        "allowed_mentions": {"parse": [], "replied_user": False},
    }


def _ids(message: Mapping[str, Any]) -> list[str]:
    """The buttons of a message, by what they do."""
    return [
        word(button, "custom_id") for row in objects(message, "components") for button in objects(row, "components")
    ]


def _made(message: Any) -> str:
    """The id of a message that was made. Raises OutcomeUnknown where the answer names none."""
    if not (key := id_of(message)):
        raise OutcomeUnknown("Discord's answer names no message")
    return key


def _token(address: Address) -> str | None:
    """The token of the interaction to answer, while it is good."""
    if "token" not in address:
        return None
    age = time.time() - created(address["interaction"])
    return address["token"] if age < INTERACTION_LIFETIME - _EXPIRY_MARGIN else None


def _short(nonce: str) -> str:
    """The nonce, or a hash of it that fits."""
    if len(nonce) <= MAX_NONCE:
        return nonce
    return base64.urlsafe_b64encode(hashlib.sha256(nonce.encode()).digest())[:MAX_NONCE].decode()
