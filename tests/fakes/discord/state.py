"""What there is on this Discord: bots, users, guilds, channels, messages. Constant time a message."""

from __future__ import annotations

import itertools
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from tests.fakes.discord.errors import Json, missing_access, unknown_channel

EPOCH_MS: Final = 1_420_070_400_000
TEXT, DM, THREAD = 0, 1, 11
DEFAULT, REPLY, CHAT_INPUT_COMMAND = 0, 19, 20
LOADING: Final = 1 << 7
EPHEMERAL: Final = 1 << 6
NONCE_SECONDS: Final = 300.0
ADMINISTRATOR: Final = 1 << 3
PERMISSIONS: Final = {"view": 1 << 10, "send": 1 << 11, "history": 1 << 16, "send_in_threads": 1 << 38}


def moment(seconds: float) -> str:
    """ISO 8601 as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@dataclass(slots=True)
class User:
    id: str
    name: str
    bot: bool = False
    dms_closed: bool = False
    left: bool = False
    """Whether the person has left all guilds."""
    roles: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Guild to roles."""

    def json(self) -> Json:
        found: Json = {
            "id": self.id, "username": self.name if self.bot else self.name.lower(),
            "global_name": None if self.bot else self.name,
            "discriminator": "0000" if self.bot else "0", "avatar": None, "public_flags": 0,
        }  # fmt: skip
        return found | ({"bot": True} if self.bot else {})


@dataclass(slots=True)
class Bot:
    token: str
    user: User
    application: str
    message_content: bool
    """Whether the privileged intent is switched on in the portal."""
    interactions_endpoint_url: str | None = None
    identifies_left: int = 1000
    identifies: int = 0
    resumes: int = 0
    commands: list[Json] = field(default_factory=list[Json])
    nonces: OrderedDict[str, tuple[float, Message]] = field(default_factory=OrderedDict[str, "tuple[float, Message]"])

    def known(self, nonce: str) -> Message | None:
        """The message with this nonce, if it is of the last minutes."""
        now = time.monotonic()
        while self.nonces and next(iter(self.nonces.values()))[0] < now:
            self.nonces.popitem(last=False)
        found = self.nonces.get(nonce)
        return found[1] if found else None


@dataclass(slots=True)
class Guild:
    id: str
    name: str
    preferred_locale: str
    features: list[str]
    owner: str = "0"
    """User id of who owns it."""
    roles: dict[str, Json] = field(default_factory=dict[str, Json])
    channels: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class File:
    """A file of a message."""

    id: str
    name: str
    mime: str | None
    content: bytes

    def json(self, channel: str, cdn: str) -> Json:
        """An attachment object, with a link that is signed and runs out."""
        url = f"{cdn}/attachments/{channel}/{self.id}/{self.name}?ex={self.id}&is=1&hm=5ea1&"
        found: Json = {"id": self.id, "filename": self.name, "size": len(self.content), "url": url, "proxy_url": url}
        return found | ({"content_type": self.mime} if self.mime else {})


@dataclass(slots=True)
class Message:
    id: str
    channel: str
    author: User
    content: str
    type: int
    at: float
    flags: int = 0
    reply_to: str | None = None
    nonce: str | int | None = None
    components: list[Json] = field(default_factory=list[Json])
    webhook: str | None = None
    interaction: str | None = None
    mentions: list[str] = field(default_factory=list[str])
    mention_roles: list[str] = field(default_factory=list[str])
    mention_everyone: bool = False
    pings: list[str] = field(default_factory=list[str])
    """Who got a notification: ids of users and roles, `everyone`."""
    edits: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    """When it was edited, and the new text of each time."""
    deleted: bool = False
    files: list[File] = field(default_factory=list[File])
    stickers: list[Json] = field(default_factory=list[Json])
    more: Json = field(default_factory=dict)
    """Further fields: embeds, a poll, snapshots of what it forwards."""


@dataclass(slots=True)
class Channel:
    id: str
    type: int
    name: str
    guild: str | None = None
    parent: str | None = None
    bot: str | None = None
    """Of a direct message: the bot's user id."""
    user: str | None = None
    """Of a direct message: the user's id."""
    denied: set[str] = field(default_factory=set[str])
    """What bots may not do here: view, send, history."""
    locked: bool = False
    messages: dict[str, Message] = field(default_factory=dict[str, Message])

    @property
    def permissions(self) -> int:
        """The bots' permissions here."""
        denied = self.denied | ({"send_in_threads"} if "send" in self.denied else set())
        return sum(bit for name, bit in PERMISSIONS.items() if name not in denied)


class World:
    """All of it."""

    def __init__(self) -> None:
        self.bots: dict[str, Bot] = {}
        """By token."""
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.dms: dict[tuple[str, str], Channel] = {}
        """By user ids of bot and person."""
        self.cdn = ""
        """Where files are, up to `/attachments`."""
        self._count = itertools.count()
        self._last_ms = 0

    def snowflake(self) -> str:
        """A new id: later ones are larger."""
        self._last_ms = max(self._last_ms, int(time.time() * 1000))
        number = next(self._count)
        if number % 4096 == 4095:
            self._last_ms += 1
        return str((self._last_ms - EPOCH_MS) << 22 | (number & 0xFFF))

    def bot_of(self, user: str) -> Bot | None:
        """The bot with this user id."""
        return next((bot for bot in self.bots.values() if bot.user.id == user), None)

    def new_token(self, application: str) -> str:
        """A token in the form Discord has."""
        return f"{application}.{secrets.token_urlsafe(6)}.{secrets.token_urlsafe(28)}"

    def visible(self, bot: Bot, channel_id: str) -> Channel:
        """A channel for a bot. Raises as Discord does when there is none, or it may not see it."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise unknown_channel()
        if "view" in channel.denied or (channel.type == DM and channel.bot != bot.user.id):
            raise missing_access()
        return channel

    def channel_json(self, channel: Channel) -> Json:
        last = next(reversed(channel.messages), None)  # a deleted one stays the last (docs/resources/channel)
        found: Json = {"id": channel.id, "type": channel.type, "last_message_id": last, "flags": 0}
        if channel.type == DM:
            return found | {"recipients": [self.users[channel.user or ""].json()]}
        found |= {
            "guild_id": channel.guild, "name": channel.name, "parent_id": channel.parent, "nsfw": False,
            "permission_overwrites": [], "position": 0, "rate_limit_per_user": 0, "topic": None,
        }  # fmt: skip
        if channel.type == THREAD:
            now = moment(time.time())
            found |= {
                "owner_id": "0", "message_count": 0, "member_count": 1, "total_message_sent": 0,
                "thread_metadata": {"archived": channel.locked, "locked": channel.locked, "invitable": True,
                                    "auto_archive_duration": 1440, "archive_timestamp": now},
            }  # fmt: skip
        return found

    def guild_json(self, guild: Guild) -> Json:
        channels = [self.channels[channel] for channel in guild.channels if channel in self.channels]
        return {
            "id": guild.id, "name": guild.name, "preferred_locale": guild.preferred_locale, "features": guild.features,
            "roles": list(guild.roles.values()), "emojis": [], "stickers": [], "owner_id": guild.owner, "icon": None,
            "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0,
            "premium_tier": 0, "nsfw_level": 0, "system_channel_id": None, "system_channel_flags": 0,
            "afk_timeout": 300, "member_count": 2, "large": False, "unavailable": False, "members": [],
            "joined_at": moment(time.time()), "presences": [],
            "voice_states": [], "stage_instances": [], "guild_scheduled_events": [],
            "channels": [self.channel_json(c) for c in channels if c.type != THREAD],
            "threads": [self.channel_json(c) for c in channels if c.type == THREAD],
        }  # fmt: skip

    def message_json(self, message: Message, *, nested: bool = False) -> Json:
        """A message object (docs/resources/message)."""
        found: Json = {
            "id": message.id, "channel_id": message.channel, "author": message.author.json(),
            "content": message.content, "timestamp": moment(message.at), "type": message.type, "flags": message.flags,
            "edited_timestamp": moment(message.edits[-1][0]) if message.edits else None, "tts": False, "pinned": False,
            "mention_everyone": message.mention_everyone, "mention_roles": message.mention_roles,
            "mentions": [self.users[user].json() for user in message.mentions if user in self.users],
            "attachments": [file.json(message.channel, self.cdn) for file in message.files], "embeds": [],
            "components": message.components,
        }  # fmt: skip
        found |= message.more
        if message.stickers:
            found["sticker_items"] = message.stickers
        if message.nonce is not None:
            found["nonce"] = message.nonce
        if message.webhook is not None:
            found["webhook_id"] = message.webhook
        if message.interaction is not None:
            found["interaction_metadata"] = {"id": message.interaction, "type": 2, "user": message.author.json()}
        if message.reply_to is not None:
            channel = self.channels[message.channel]
            found["message_reference"] = {"type": 0, "message_id": message.reply_to, "channel_id": channel.id}
            if channel.guild is not None:
                found["message_reference"]["guild_id"] = channel.guild
            if not nested:
                other = channel.messages.get(message.reply_to)
                gone = other is None or other.deleted
                found["referenced_message"] = None if gone or other is None else self.message_json(other, nested=True)
        return found

    def permissions(self, user: User, guild: Guild) -> int:
        """What a member may do in a guild, channels apart."""
        if guild.owner == user.id:
            return (1 << 53) - 1
        held = [guild.roles[role] for role in (guild.id, *user.roles.get(guild.id, [])) if role in guild.roles]
        found = 0
        for role in held:
            found |= int(role["permissions"])
        return (1 << 53) - 1 if found & ADMINISTRATOR else found

    def member_json(self, user: User, guild: str) -> Json:
        return {
            "roles": user.roles.get(guild, []), "nick": None, "joined_at": moment(time.time()), "deaf": False,
            "mute": False, "flags": 0, "pending": False,
        }  # fmt: skip
