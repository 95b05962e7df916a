"""Discord's events as messages for the bot: who, where, and whether it was meant (docs/events/gateway-events)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from operator import or_
from typing import Any, Final

from gptbot.platforms.discord.attachments import attachments
from gptbot.platforms.discord.limits import (
    ADMINISTRATOR,
    EPHEMERAL,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    VIEW_CHANNEL,
)
from gptbot.platforms.discord.spoken import anonymous, forwarded, quoted, to_bot
from gptbot.platforms.inbound import Address, Inbound

Event = Mapping[str, Any]
"""The `d` of a dispatched event, as Discord sent it."""

_DEFAULT, _REPLY = 0, 19
_APPLICATION_COMMAND, _CHAT_INPUT = 2, 1
_MESSAGE_COMPONENT, _BUTTON = 3, 2
_AUTOCOMPLETE = 4
_BOT_DM = 1
_THREADS: Final = (10, 11, 12)
_EPOCH_MS: Final = 1_420_070_400_000
"""When snowflakes begin (docs/reference, Snowflakes)."""


@dataclass(slots=True)
class _Guild:
    locale: str | None = None
    own_roles: set[str] = field(default_factory=set)
    owner: str | None = None
    """Id of the user who owns it; None: nothing is known of the guild."""
    roles: dict[str, int] = field(default_factory=dict)
    """Role to its permissions; the one with the guild's id is everybody's."""
    parents: dict[str, str] = field(default_factory=dict)
    """Thread to the channel it is in."""


@dataclass(slots=True)
class Directory:
    """The little that has to be known of a bot and its guilds to understand messages; fed by the gateway's events."""

    user: str = ""
    """Id of the bot's own user."""
    name: str = "bot"
    names: Sequence[str] = ()
    """What people may call it behind the `@` of a command."""
    guilds: dict[str, _Guild] = field(default_factory=dict)

    def guild(self, data: Event) -> None:
        """Guild Create or Guild Update."""
        guild = self.guilds.setdefault(data["id"], _Guild())
        # Every guild starts out as en-US; only a community chooses (docs/resources/guild, preferred_locale).
        chosen = data.get("preferred_locale")
        guild.locale = chosen if chosen != "en-US" or "COMMUNITY" in data.get("features", ()) else None
        guild.owner = data.get("owner_id", guild.owner)
        if "roles" in data:
            guild.own_roles.clear()
            guild.roles.clear()
        for role in data.get("roles", ()):
            self.role({"guild_id": data["id"], "role": role})
        for thread in data.get("threads", ()):
            self.thread({"guild_id": data["id"], **thread})

    def guild_gone(self, data: Event) -> None:
        """Guild Delete."""
        self.guilds.pop(data["id"], None)

    def role(self, data: Event) -> None:
        """Guild Role Create or Update. The managed role of the bot is mentioned like the bot itself."""
        role = data["role"]
        self.guilds.setdefault(data["guild_id"], _Guild()).roles[role["id"]] = int(role.get("permissions") or 0)
        if str((role.get("tags") or {}).get("bot_id")) == self.user:
            self.guilds.setdefault(data["guild_id"], _Guild()).own_roles.add(role["id"])

    def role_gone(self, data: Event) -> None:
        """Guild Role Delete."""
        if data["guild_id"] in self.guilds:
            self.guilds[data["guild_id"]].roles.pop(data["role_id"], None)

    def permissions(self, guild: str, user: str, roles: Iterable[str]) -> int | None:
        """What a member may do in a guild, channels apart. None: nothing is known of the guild."""
        known = self.guilds.get(guild)
        if known is None or known.owner is None:
            return None
        if known.owner == user:
            return ADMINISTRATOR
        return reduce(or_, (known.roles.get(role, 0) for role in (guild, *roles)), 0)

    def thread(self, data: Event) -> None:
        """Thread Create or Thread Update."""
        if data.get("guild_id") and data.get("parent_id"):
            self.guilds.setdefault(data["guild_id"], _Guild()).parents[data["id"]] = data["parent_id"]

    def thread_gone(self, data: Event) -> None:
        """Thread Delete."""
        if data.get("guild_id") in self.guilds:
            self.guilds[data["guild_id"]].parents.pop(data["id"], None)


def from_edit(data: Event, directory: Directory) -> Inbound | None:
    """A Message Update as an edited message, or None when nobody edited it: links get their previews so, for one."""
    if not data.get("edited_timestamp") or not {"author", "content", "type"} <= data.keys():
        return None
    message = from_message(data, directory)
    return message and replace(message, original_at=message.sent)


def from_message(data: Event, directory: Directory) -> Inbound | None:
    """A Message Create as a message, or None when it is not from a person: bots, webhooks, system messages."""
    author = data["author"]
    if author.get("bot") or author.get("system") or data.get("webhook_id") or data["type"] not in (_DEFAULT, _REPLY):
        return None
    guild_id: str | None = data.get("guild_id")
    guild = directory.guilds.get(guild_id, _Guild()) if guild_id else _Guild()
    own_roles = guild.own_roles.intersection(data.get("mention_roles") or [])
    read = partial(to_bot, user=directory.user, name=directory.name, roles=own_roles)
    replied: Event = data.get("referenced_message") or {}
    addressed = (
        any(user["id"] == directory.user for user in data.get("mentions") or ())
        or bool(own_roles)
        or (data["type"] == _REPLY and (replied.get("author") or {}).get("id") == directory.user)
    )
    channel = data["channel_id"]
    return Inbound(
        event=data["id"], conversation=channel, user=author["id"],
        text=read(data.get("content") or ""),
        direct=guild_id is None, addressed=addressed, address={"channel": channel, "message": data["id"]},
        language=guild.locale,
        principals=_principals(author["id"], guild_id, data.get("member"), channel, guild.parents.get(channel)),
        sent=((int(data["id"]) >> 22) + _EPOCH_MS) / 1000,
        quote=quoted(replied, directory.user, guild_id is None, read) if data["type"] == _REPLY else forwarded(data),
        forwarded=data["type"] != _REPLY and bool(data.get("message_snapshots")), names=directory.names,
        attachments=attachments(data),
    )  # fmt: skip


def from_interaction(data: Event) -> Inbound | None:
    """An Interaction Create as a message, or None when it is neither a slash command nor a button.

    Its address becomes known when Discord took the acknowledgement: `interaction_address`.
    """
    if is_button(data):
        text = f"!{data['data']['custom_id']}"
    elif is_slash_command(data):
        options = [anonymous(str(option["value"])) for option in data["data"].get("options") or () if "value" in option]
        text = " ".join([f"/{data['data']['name']}", *options])
    else:
        return None
    member = data.get("member")
    user = (member or data)["user"]
    guild_id: str | None = data.get("guild_id")
    channel: Event = data.get("channel") or {}
    parent = channel.get("parent_id") if is_thread(channel) else None
    return Inbound(
        event=data["id"], conversation=data["channel_id"], user=user["id"],
        text=text, direct=guild_id is None, addressed=True, address=interaction_address(data, deferred=False),
        answer_due=not is_button(data), language=language(data),
        pressed=str((data.get("message") or {}).get("id", "")) if is_button(data) else "",
        principals=_principals(user["id"], guild_id, member, data["channel_id"], parent),
    )  # fmt: skip


def interaction_address(data: Event, *, deferred: bool = True, private: bool = False) -> Address:
    """Where the answer to an interaction goes.

    `deferred`: whether Discord took the acknowledgement; else its token is worth nothing, and a plain message must do.
    `private`: the answer is for the caller alone.
    """
    address: Address = {"channel": data["channel_id"]}
    pressed: Event = data.get("message") or {}
    if pressed and not int(pressed.get("flags") or 0) & EPHEMERAL:
        address["message"] = pressed["id"]
    if deferred:
        address |= {
            "application": data["application_id"], "interaction": data["id"], "token": data["token"],
            "writable": _writable(data, data.get("channel") or {}),
        }  # fmt: skip
        address |= {"button": True} if is_button(data) else {}
        address |= {"private": True} if private else {}
    return address


def language(data: Event) -> str | None:
    """The language of who gave a command or pressed a button."""
    return data.get("locale") or data.get("guild_locale")


def is_button(data: Event) -> bool:
    """Whether an interaction is a button pressed."""
    return data["type"] == _MESSAGE_COMPONENT and data["data"].get("component_type") == _BUTTON


def is_completion(data: Event) -> bool:
    """Whether an interaction asks what an option that is being typed could be."""
    return data["type"] == _AUTOCOMPLETE


def is_slash_command(data: Event) -> bool:
    """Whether an interaction is a slash command, and not a button, a form, or a command on a message or user."""
    return data["type"] == _APPLICATION_COMMAND and data["data"].get("type") == _CHAT_INPUT


def is_thread(channel: Event) -> bool:
    """Whether a channel is a thread."""
    return channel.get("type") in _THREADS


def _writable(data: Event, channel: Event) -> bool:
    """Whether the bot may write plain messages where the command was given."""
    if data.get("context") == _BOT_DM or "guild_id" not in data:
        return True
    send = SEND_MESSAGES_IN_THREADS if is_thread(channel) else SEND_MESSAGES
    needed = VIEW_CHANNEL | send
    return int(data.get("app_permissions") or 0) & needed == needed


def _principals(
    user: str, guild: str | None, member: Event | None, channel: str, parent: str | None
) -> tuple[str, ...]:
    found = [f"user:{user}"]
    if guild is not None:
        found.append(f"guild:{guild}")
        found += [f"role:{role}" for role in (member or {}).get("roles") or ()]
    found.append(f"channel:{channel}")
    if parent is not None:
        found.append(f"channel:{parent}")
    return tuple(found)
