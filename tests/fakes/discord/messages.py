"""Messages over REST: create, edit, delete, read (docs/resources/message), and what is wrong with them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.fakes.discord import errors
from tests.fakes.discord.components import checked_components
from tests.fakes.discord.errors import Json, invalid_form
from tests.fakes.discord.front import Call
from tests.fakes.discord.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, Gateway
from tests.fakes.discord.state import (
    DEFAULT,
    DM,
    EPHEMERAL,
    LOADING,
    NONCE_SECONDS,
    REPLY,
    THREAD,
    Bot,
    Channel,
    Message,
    User,
    World,
)

MAX_CONTENT: Final = 2000
_SETTABLE_FLAGS: Final = 1 << 2 | 1 << 12 | 1 << 13 | 1 << 15
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_PARSE: Final = ("users", "roles", "everyone")


class Messages:
    """All that is done with messages, whoever does it."""

    def __init__(self, world: World, gateway: Gateway, changed: Callable[[], None]) -> None:
        self._world = world
        self._gateway = gateway
        self._changed = changed

    # What bots call.

    def create(self, call: Call) -> Json:
        """Create Message."""
        bot, channel = call.caller, self._world.visible(call.caller, call.path["channel"])
        self._may_send(channel)
        body = checked(call.body)
        nonce = body.get("nonce")
        if nonce is not None and body.get("enforce_nonce"):
            known = bot.known(str(nonce))
            if known is not None:
                return self._world.message_json(known)
        message = Message(
            self._world.snowflake(), channel.id, bot.user, body["content"], DEFAULT, time.time(),
            flags=body.get("flags") or 0, nonce=nonce, components=body.get("components") or [],
        )  # fmt: skip
        self._refer(channel, message, body.get("message_reference"))
        self._mention(channel, message, body.get("allowed_mentions"))
        if nonce is not None and body.get("enforce_nonce"):
            bot.nonces[str(nonce)] = (time.monotonic() + NONCE_SECONDS, message)
        self.post(channel, message)
        return self._world.message_json(message)

    def edit(self, call: Call) -> Json:
        """Edit Message."""
        channel = self._world.visible(call.caller, call.path["channel"])
        message = self._message(channel, call.path["message"])
        if message.author is not call.caller.user:
            raise errors.not_yours()
        return self.change(channel, message, checked(call.body, edit=True))

    def delete(self, call: Call) -> None:
        """Delete Message."""
        channel = self._world.visible(call.caller, call.path["channel"])
        message = self._message(channel, call.path["message"])
        if message.author is not call.caller.user:
            raise errors.missing_permissions()
        self.remove(channel, message)

    def one(self, call: Call) -> Json:
        """Get Channel Message."""
        channel = self._world.visible(call.caller, call.path["channel"])
        return self._seen_by(call.caller, channel, self._message(channel, call.path["message"]))

    def many(self, call: Call) -> list[Json]:
        """Get Channel Messages: newest first."""
        channel = self._world.visible(call.caller, call.path["channel"])
        if "history" in channel.denied:
            return []
        try:
            limit = int(call.query.get("limit", 50))
        except ValueError:
            limit = 0
        if not 1 <= limit <= 100:
            raise invalid_form("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
        bounds = {name: call.query[name] for name in ("before", "after", "around") if name in call.query}
        for name, value in bounds.items():
            if not value.isdigit() or int(value) >= 1 << 63:
                raise invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        if len(bounds) > 1 or "around" in bounds:  # the documentation allows one; nobody here asks for what is around
            raise invalid_form("", "MUTUALLY_EXCLUSIVE", "before, after and around exclude each other.")
        found = [
            message for message in reversed(channel.messages.values())
            if not message.deleted and int(message.id) < int(bounds.get("before", 1 << 63))
            and int(message.id) > int(bounds.get("after", 0))
        ]  # fmt: skip
        found = found[-limit:] if "after" in bounds else found[:limit]
        return [self._seen_by(call.caller, channel, message) for message in found]

    def _seen_by(self, bot: Bot, channel: Channel, message: Message) -> Json:
        """A message as REST shows it: the message-content intent holds there too."""
        data = self._world.message_json(message)
        return data if bot.message_content or self._exempt(bot, channel, message) else _without_content(data)

    @staticmethod
    def _exempt(bot: Bot, channel: Channel, message: Message) -> bool:
        return channel.guild is None or message.author is bot.user or bot.user.id in message.mentions

    def typing(self, call: Call) -> None:
        """Trigger Typing Indicator."""
        self._may_send(self._world.visible(call.caller, call.path["channel"]))

    # What interactions and the hand use too.

    def post(self, channel: Channel, message: Message) -> None:
        """Put a message into its channel and tell who may see it."""
        channel.messages[message.id] = message
        self._tell("MESSAGE_CREATE", channel, message)

    def repeat(self, channel: Channel, message: Message) -> None:
        """Tell of a message once more."""
        self._tell("MESSAGE_CREATE", channel, message)

    def change(self, channel: Channel, message: Message, body: Json) -> Json:
        """Change a message's text and flags."""
        if body.get("content") is not None:
            message.content = body["content"]
            message.edits.append((time.time(), message.content))
            self._mention(channel, message, body.get("allowed_mentions"))
        if body.get("flags") is not None:
            message.flags = message.flags & ~(1 << 2) | body["flags"] & 1 << 2
        if body.get("components") is not None:
            message.components = body["components"]
        message.flags &= ~LOADING
        self._tell("MESSAGE_UPDATE", channel, message)
        return self._world.message_json(message)

    def preview(self, channel: Channel, message: Message) -> None:
        """A link's preview is there: an update that nobody's edit is behind."""
        self._tell("MESSAGE_UPDATE", channel, message, {"embeds": [{"type": "link", "url": "https://example.org"}]})

    def remove(self, channel: Channel, message: Message) -> None:
        """Delete a message; its history stays for the test to see."""
        message.deleted = True
        self._tell_gone(channel, "MESSAGE_DELETE", {"id": message.id})

    def purge(self, channel: Channel, messages: Sequence[Message]) -> None:
        """Delete many messages of a guild's channel at once."""
        if channel.guild is None or not 2 <= len(messages) <= 100:
            raise ValueError("2 to 100 messages of a guild's channel can be deleted at once")
        for message in messages:
            message.deleted = True
        self._tell_gone(channel, "MESSAGE_DELETE_BULK", {"ids": [message.id for message in messages]})

    def _tell_gone(self, channel: Channel, name: str, which: Json) -> None:
        gone = which | {"channel_id": channel.id}
        if channel.guild is not None:
            gone["guild_id"] = channel.guild
        for bot in self._world.bots.values():
            if self._sees(bot.user, channel):
                intent = DIRECT_MESSAGES if channel.guild is None else GUILD_MESSAGES
                self._gateway.dispatch(bot, channel.guild, intent, name, gone)
        self._changed()

    def _tell(self, name: str, channel: Channel, message: Message, more: Json | None = None) -> None:
        data = self._world.message_json(message) | {"channel_type": channel.type} | (more or {})
        if channel.guild is not None:
            data["guild_id"] = channel.guild
            if message.webhook is None:
                data["member"] = self._world.member_json(message.author, channel.guild)
        intent = DIRECT_MESSAGES if channel.guild is None else GUILD_MESSAGES
        for bot in self._world.bots.values():
            if not self._sees(bot.user, channel):
                continue
            hidden = None if self._exempt(bot, channel, message) else _without_content(data)
            self._gateway.dispatch(bot, channel.guild, intent, name, data, hidden)
        self._changed()

    @staticmethod
    def _sees(user: User, channel: Channel) -> bool:
        if channel.type == DM:
            return channel.bot == user.id
        return "view" not in channel.denied

    def _message(self, channel: Channel, message_id: str) -> Message:
        message = channel.messages.get(message_id)
        if message is None or message.deleted or message.flags & EPHEMERAL:
            raise errors.unknown_message()
        return message

    def _may_send(self, channel: Channel) -> None:
        if channel.type == DM and self._world.users[channel.user or ""].dms_closed:
            raise errors.cannot_message_user()
        if "send" in channel.denied:
            raise errors.missing_permissions()
        if channel.type == THREAD and channel.locked:
            raise errors.thread_locked()

    def _refer(self, channel: Channel, message: Message, reference: Any) -> None:
        if reference is None:
            return
        if not isinstance(reference, dict) or not str(reference.get("message_id", "")).isdigit():
            raise invalid_form("message_reference.message_id", "NUMBER_TYPE_COERCE", "Value is not snowflake.")
        other = channel.messages.get(str(reference["message_id"]))
        if other is None or other.deleted:
            if reference.get("fail_if_not_exists", True):
                raise invalid_form("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
            return
        if "history" in channel.denied:
            raise errors.no_history()
        if other.type not in (DEFAULT, REPLY, 20):
            raise invalid_form(
                "message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message"
            )
        message.type, message.reply_to = REPLY, other.id

    def _mention(self, channel: Channel, message: Message, allowed: Any) -> None:
        """Work out who is mentioned, and who of them gets a notification."""
        users = list(dict.fromkeys(u for u in _USER.findall(message.content) if u in self._world.users))
        roles_there = self._world.guilds[channel.guild].roles if channel.guild else {}
        roles = [role for role in dict.fromkeys(_ROLE.findall(message.content)) if role in roles_there]
        everyone = channel.guild is not None and ("@everyone" in message.content or "@here" in message.content)
        replied = channel.messages.get(message.reply_to).author if message.reply_to in channel.messages else None  # pyright: ignore[reportOptionalMemberAccess]
        if allowed is None:
            pinged, ping_replied = [*users, *roles, *(["everyone"] if everyone else [])], True
        else:
            parse = allowed.get("parse") or []
            pinged = [user for user in users if "users" in parse or user in (allowed.get("users") or [])]
            pinged += [role for role in roles if "roles" in parse or role in (allowed.get("roles") or [])]
            pinged += ["everyone"] if everyone and "everyone" in parse else []
            ping_replied = bool(allowed.get("replied_user"))
        if replied is not None and ping_replied and replied.id not in pinged:
            pinged.append(replied.id)
        message.mentions = [user for user in pinged if user in self._world.users] if message.author.bot else users
        message.mention_roles = [role for role in roles if not message.author.bot or role in pinged]
        message.mention_everyone = "everyone" in pinged
        message.pings = list(dict.fromkeys([*message.pings, *pinged]))

    def mention_as_user(self, channel: Channel, message: Message, *, ping_replied: bool) -> None:
        """What mentions of a person's message do; a reply pings unless the person switched it off."""
        self._mention(channel, message, {"parse": ["users", "roles"], "replied_user": ping_replied})
        if ping_replied and message.reply_to in channel.messages:
            author = channel.messages[message.reply_to].author.id
            message.mentions = list(dict.fromkeys([*message.mentions, author]))


def _without_content(data: Json) -> Json:
    """An event as a bot without the message-content intent gets it."""
    nothing: Json = {"content": "", "embeds": [], "attachments": [], "components": []}
    data = {name: value for name, value in data.items() if name != "poll"}
    other: Json | None = data.get("referenced_message")
    return data | nothing | ({"referenced_message": other | nothing} if other else {})


def checked(body: Any, *, edit: bool = False, interaction: bool = False) -> Json:
    """A message's body. Raises as Discord does. `interaction`: it may be for one user alone."""
    if not isinstance(body, dict):
        raise errors.invalid_json()
    content, nonce, flags, allowed = (body.get(key) for key in ("content", "nonce", "flags", "allowed_mentions"))
    if content is not None and not isinstance(content, str):
        raise invalid_form("content", "STRING_TYPE_CONVERT", "Could not interpret value as string.")
    text: str = (content or "").strip()
    if len(text) > MAX_CONTENT:
        raise invalid_form("content", "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_CONTENT} or fewer in length.")
    if not text and (not edit or content is not None):
        raise errors.empty_message()
    if nonce is not None and (isinstance(nonce, bool) or not isinstance(nonce, str | int)):
        raise invalid_form("nonce", "NONCE_TYPE_INVALID_TYPE", "This field must be a string or integer.")
    if nonce is not None and len(str(nonce)) > 25:
        raise invalid_form("nonce", "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer characters long.")
    if flags is not None and (
        not isinstance(flags, int) or flags & ~(_SETTABLE_FLAGS | (EPHEMERAL if interaction else 0))
    ):
        raise invalid_form("flags", "BITFIELD_NOT_ALLOWED", "These flags cannot be set.")
    if allowed is not None:
        _check_allowed(allowed)
    if body.get("components") is not None:
        checked_components(body["components"])
    return body | ({"content": text} if content is not None else {})


def _check_allowed(allowed: Any) -> None:
    if not isinstance(allowed, dict):
        raise invalid_form("allowed_mentions", "MODEL_TYPE_CONVERT", "Only dictionaries may be used.")
    parse = allowed.get("parse") or []
    for number, kind in enumerate(parse):
        if kind not in _PARSE:
            raise invalid_form(
                f"allowed_mentions.parse.{number}", "BASE_TYPE_CHOICES", f"Value must be one of {_PARSE}."
            )
    for kind in ("users", "roles"):
        if kind in parse and allowed.get(kind):
            raise invalid_form(
                "allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )  # fmt: skip
