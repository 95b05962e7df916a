"""Discord's events as messages for the bot: who, where, and whether it was meant (docs/events/gateway-events)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from operator import or_
from typing import Final

from gptbot.platforms.discord.attachments import attachments
from gptbot.platforms.discord.contents import Read, besides, forwarded, poll, whole
from gptbot.platforms.discord.fields import Event, fields, id_of, ids, number, objects, word
from gptbot.platforms.discord.limits import (
    ADMINISTRATOR,
    EPHEMERAL,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    VIEW_CHANNEL,
)
from gptbot.platforms.discord.spoken import anonymous, to_bot
from gptbot.platforms.inbound import Address, Inbound, person

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
    threads_told: bool = False
    """Whether all threads are in `parents`, as a Guild Create tells them."""


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
        if not (key := id_of(data)):
            return
        guild = self.guilds.setdefault(key, _Guild())
        # Every guild starts out as en-US; only a community chooses (docs/resources/guild, preferred_locale).
        chosen, features = word(data, "preferred_locale") or None, data.get("features")
        community = isinstance(features, list) and "COMMUNITY" in features
        guild.locale = chosen if chosen != "en-US" or community else None
        guild.owner = id_of(data, "owner_id") or guild.owner
        guild.threads_told |= "threads" in data
        if "roles" in data:
            guild.own_roles.clear()
            guild.roles.clear()
        for role in objects(data, "roles"):
            self.role({"guild_id": key, "role": role})
        for thread in objects(data, "threads"):
            self.thread({"guild_id": key, **thread})

    def guild_gone(self, data: Event) -> None:
        """Guild Delete."""
        self.guilds.pop(id_of(data), None)

    def role(self, data: Event) -> None:
        """Guild Role Create or Update. The managed role of the bot is mentioned like the bot itself."""
        role, guild = fields(data, "role"), id_of(data, "guild_id")
        if not guild or not (key := id_of(role)):
            return
        known = self.guilds.setdefault(guild, _Guild())
        known.roles[key] = number(role, "permissions")
        if self.user and id_of(fields(role, "tags"), "bot_id") == self.user:
            known.own_roles.add(key)

    def role_gone(self, data: Event) -> None:
        """Guild Role Delete."""
        if (guild := self.guilds.get(id_of(data, "guild_id"))) is not None:
            guild.roles.pop(id_of(data, "role_id"), None)

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
        guild, thread, parent = id_of(data, "guild_id"), id_of(data), id_of(data, "parent_id")
        if guild and thread and parent:
            self.guilds.setdefault(guild, _Guild()).parents[thread] = parent

    def thread_gone(self, data: Event) -> None:
        """Thread Delete."""
        if (guild := self.guilds.get(id_of(data, "guild_id"))) is not None:
            guild.parents.pop(id_of(data), None)

    def parent(self, guild: str, channel: str) -> str | None:
        """The channel that a thread is in; an empty string: it is no thread. None: that is not known."""
        known = self.guilds.get(guild)
        if known is None:
            return None
        return known.parents.get(channel, "" if known.threads_told else None)


def from_edit(data: Event, directory: Directory) -> Inbound | None:
    """A Message Update as an edited message, or None when nobody edited it: links get their previews so, for one."""
    if not data.get("edited_timestamp") or not {"author", "content"} <= data.keys():
        return None
    message = from_message(data, directory)
    return message and replace(message, original_at=message.sent)


def from_message(data: Event, directory: Directory) -> Inbound | None:
    """A Message Create as a message, or None when it is not from a person: bots, webhooks, system messages.

    Raises ValueError where it does not tell who said it, or where.
    """
    author, key, channel = fields(data, "author"), id_of(data), id_of(data, "channel_id")
    replied = fields(data, "referenced_message")
    kind = number(data, "type", _REPLY if replied else _DEFAULT)
    if author.get("bot") or author.get("system") or data.get("webhook_id") or kind not in (_DEFAULT, _REPLY):
        return None
    if not (user := id_of(author)) or not key or not channel:
        raise ValueError("a message tells no id, author or channel")
    guild_id = id_of(data, "guild_id") or None
    guild = directory.guilds.get(guild_id, _Guild()) if guild_id else _Guild()
    own_roles = guild.own_roles.intersection(ids(data, "mention_roles"))
    read = partial(to_bot, user=directory.user, name=directory.name, roles=own_roles)
    addressed = (
        any(id_of(mentioned) == directory.user for mentioned in objects(data, "mentions"))
        or bool(own_roles)
        or (kind == _REPLY and id_of(fields(replied, "author")) == directory.user)
    )
    quotes = [quoted(replied, directory.user, guild_id is None, read) if kind == _REPLY else forwarded(data)]
    return Inbound(
        event=key, conversation=channel, user=user,
        text=read(word(data, "content")) or poll(data, anonymous),
        direct=guild_id is None, addressed=addressed, address={"channel": channel, "message": key},
        language=guild.locale,
        principals=_principals(user, guild_id, fields(data, "member"), channel, guild.parents.get(channel)),
        sent=((int(key) >> 22) + _EPOCH_MS) / 1000,
        quote="\n\n".join(quote for quote in (*quotes, *besides(data)) if quote),
        forwarded=kind != _REPLY and bool(objects(data, "message_snapshots")), names=directory.names,
        attachments=attachments(data),
    )  # fmt: skip


def quoted(message: Event, user: str, direct: bool, read: Read) -> str:
    """A message that is replied to, behind its author; the bot (`user`) needs no name, nor does anyone where it is
    `direct`. Empty when it is gone, or is none to read. `read` reads its text.
    """
    text, author = whole(message, read), id_of(fields(message, "author"))
    return f"{person(author)}: {text}" if text and author not in ("", user) and not direct else text


def from_interaction(data: Event) -> Inbound | None:
    """An Interaction Create as a message, or None when it is neither a slash command nor a button.

    Its address becomes known when Discord took the acknowledgement: `interaction_address`. Raises ValueError where it
    does not tell who asks, or where.
    """
    called = fields(data, "data")
    if is_button(data):
        text = f"!{word(called, 'custom_id')}"
    elif is_slash_command(data):
        options = [anonymous(str(option["value"])) for option in objects(called, "options") if "value" in option]
        text = " ".join([f"/{word(called, 'name')}", *options])
    else:
        return None
    member, channel = fields(data, "member"), fields(data, "channel")
    key, user, where = id_of(data), id_of(fields(member or data, "user")), channel_of(data)
    if not key or not user or not where:
        raise ValueError("an interaction tells no id, user or channel")
    guild_id = id_of(data, "guild_id") or None
    parent = id_of(channel, "parent_id") or None if is_thread(channel) else None
    return Inbound(
        event=key, conversation=where, user=user,
        text=text, direct=guild_id is None, addressed=True, address=interaction_address(data, deferred=False),
        answer_due=not is_button(data), language=language(data),
        pressed=id_of(fields(data, "message")) if is_button(data) else "",
        principals=_principals(user, guild_id, member, where, parent),
    )  # fmt: skip


def channel_of(data: Event) -> str:
    """The channel that something happened in; empty: Discord does not say."""
    return id_of(data, "channel_id") or id_of(fields(data, "channel"))


def interaction_address(data: Event, *, deferred: bool = True, private: bool = False) -> Address:
    """Where the answer to an interaction goes.

    `deferred`: whether Discord took the acknowledgement; else its token is worth nothing, and a plain message must do.
    `private`: the answer is for the caller alone.
    """
    address: Address = {"channel": channel_of(data)}
    pressed = fields(data, "message")
    if id_of(pressed) and not number(pressed, "flags") & EPHEMERAL:
        address["message"] = id_of(pressed)
    if deferred:
        address |= {
            "application": id_of(data, "application_id"), "interaction": id_of(data), "token": word(data, "token"),
            "writable": _writable(data, fields(data, "channel")), "readable": _readable(data),
        }  # fmt: skip
        address |= {"button": True} if is_button(data) else {}
        address |= {"private": True} if private else {}
    return address


def language(data: Event) -> str | None:
    """The language of who gave a command or pressed a button."""
    return word(data, "locale") or word(data, "guild_locale") or None


def is_button(data: Event) -> bool:
    """Whether an interaction is a button pressed."""
    pressed = fields(data, "data")
    return data.get("type") == _MESSAGE_COMPONENT and number(pressed, "component_type", _BUTTON) == _BUTTON


def is_completion(data: Event) -> bool:
    """Whether an interaction asks what an option that is being typed could be."""
    return data.get("type") == _AUTOCOMPLETE


def is_slash_command(data: Event) -> bool:
    """Whether an interaction is a slash command, and not a button, a form, or a command on a message or user."""
    called = fields(data, "data")
    return data.get("type") == _APPLICATION_COMMAND and number(called, "type", _CHAT_INPUT) == _CHAT_INPUT


def is_thread(channel: Event) -> bool:
    """Whether a channel is a thread."""
    return channel.get("type") in _THREADS


def _writable(data: Event, channel: Event) -> bool:
    """Whether the bot may write plain messages where the command was given."""
    send = SEND_MESSAGES_IN_THREADS if is_thread(channel) else SEND_MESSAGES
    return _may(data, VIEW_CHANNEL | send)


def _readable(data: Event) -> bool:
    """Whether the bot may read what was said before where the command was given."""
    return _may(data, VIEW_CHANNEL | READ_MESSAGE_HISTORY)


def _may(data: Event, needed: int) -> bool:
    """Whether the bot has permissions where a command was given (docs/interactions, `app_permissions`)."""
    if data.get("context") == _BOT_DM or "guild_id" not in data:
        return True
    return number(data, "app_permissions") & needed == needed


def _principals(user: str, guild: str | None, member: Event, channel: str, parent: str | None) -> tuple[str, ...]:
    found = [f"user:{user}"]
    if guild is not None:
        found.append(f"guild:{guild}")
        found += [f"role:{role}" for role in ids(member, "roles")]
    found.append(f"channel:{channel}")
    if parent is not None:
        found.append(f"channel:{parent}")
    return tuple(found)
