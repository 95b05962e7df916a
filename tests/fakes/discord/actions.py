"""What `Hand` asks for, done on the state of the server. Public methods are actions: JSON in, JSON out."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import asdict
from typing import Any

from tests.fakes.discord.errors import Json
from tests.fakes.discord.faults import Fault
from tests.fakes.discord.front import Front
from tests.fakes.discord.gateway import GUILDS, INVALID_SESSION, RECONNECT, Gateway
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.messages import Messages
from tests.fakes.discord.settings import Settings
from tests.fakes.discord.state import DEFAULT, DM, REPLY, TEXT, THREAD, Bot, Channel, File, Guild, Message, User, World


class UnknownAction(LookupError):
    """There is no such action."""


class Actions:
    """Of one server."""

    def __init__(
        self,
        world: World,
        settings: Settings,
        gateway: Gateway,
        messages: Messages,
        interactions: Interactions,
        front: Front,
    ) -> None:
        self._world = world
        self._settings = settings
        self._gateway = gateway
        self._messages = messages
        self._interactions = interactions
        self._front = front
        self._changes = 0
        self._waiting: list[asyncio.Future[None]] = []

    async def do(self, action: str, arguments: dict[str, Any]) -> Any:
        """Do an action by its name."""
        if action == "changed":
            return await self._changed_since(arguments["since"])
        method = getattr(self, f"do_{action}", None)
        if method is None:
            raise UnknownAction(action)
        return method(**arguments)

    def note_change(self) -> None:
        """Something happened that a test may wait for."""
        self._changes += 1
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def _changed_since(self, since: int) -> int:
        if self._changes <= since:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        return self._changes

    def do_change(self) -> int:
        return self._changes

    # What there is.

    def do_add_bot(
        self, name: str, token: str | None, message_content: bool, interactions_endpoint_url: str | None
    ) -> Json:
        user = User(self._world.snowflake(), name, bot=True)
        application = user.id
        bot = Bot(
            token or self._world.new_token(application), user, application, message_content, interactions_endpoint_url
        )
        self._world.users[user.id] = user
        self._world.bots[bot.token] = bot
        for guild in self._world.guilds.values():
            self._bring_role(guild, bot)
        return {"token": bot.token, "user": user.id, "application": application}

    def do_allow_message_content(self, allowed: bool, bot: str | None) -> None:
        self._bot(bot).message_content = allowed

    def do_add_user(self, name: str) -> str:
        user = User(self._world.snowflake(), name)
        self._world.users[user.id] = user
        return user.id

    def do_add_guild(self, name: str, preferred_locale: str, features: list[str]) -> str:
        guild = Guild(self._world.snowflake(), name, preferred_locale, features)
        guild.roles[guild.id] = self._role(guild, "@everyone") | {"id": guild.id}
        self._world.guilds[guild.id] = guild
        for bot in self._world.bots.values():
            self._bring_role(guild, bot)
            self._gateway.dispatch(bot, guild.id, GUILDS, "GUILD_CREATE", self._world.guild_json(guild))
        return guild.id

    def _bring_role(self, guild: Guild, bot: Bot) -> None:
        role: Json = self._role(guild, bot.user.name) | {"managed": True, "tags": {"bot_id": bot.user.id}}
        guild.roles[role["id"]] = role
        bot.user.roles[guild.id] = [role["id"]]

    def _role(self, guild: Guild, name: str) -> Json:
        return {"id": self._world.snowflake(), "name": name, "permissions": "0", "managed": False, "mentionable": False,
                "position": len(guild.roles), "color": 0, "hoist": False, "flags": 0}  # fmt: skip

    def do_own_guild(self, guild: str, user: str) -> None:
        self._world.guilds[guild].owner = user
        self._tell_guild(guild, "GUILD_UPDATE", self._world.guild_json(self._world.guilds[guild]))

    def do_give_role(self, guild: str, user: str, name: str, permissions: int) -> str:
        role = self._role(self._world.guilds[guild], name) | {"permissions": str(permissions)}
        self._world.guilds[guild].roles[role["id"]] = role
        self._world.users[user].roles.setdefault(guild, []).append(role["id"])
        self._tell_guild(guild, "GUILD_ROLE_CREATE", {"guild_id": guild, "role": role})
        return role["id"]

    def do_managed_role(self, guild: str, bot: str | None) -> str:
        return self._bot(bot).user.roles[guild][0]

    def do_add_channel(self, guild: str, name: str) -> str:
        channel = Channel(self._world.snowflake(), TEXT, name, guild)
        return self._put(channel, "CHANNEL_CREATE")

    def do_add_thread(self, channel: str, name: str, message: str | None) -> str:
        parent = self._world.channels[channel]
        return self._put(
            Channel(message or self._world.snowflake(), THREAD, name, parent.guild, parent.id), "THREAD_CREATE"
        )

    def _put(self, channel: Channel, event: str) -> str:
        assert channel.guild is not None
        self._world.channels[channel.id] = channel
        self._world.guilds[channel.guild].channels.append(channel.id)
        self._tell_guild(channel.guild, event, self._world.channel_json(channel))
        return channel.id

    def _tell_guild(self, guild: str, event: str, data: Json) -> None:
        for bot in self._world.bots.values():
            self._gateway.dispatch(bot, guild, GUILDS, event, data)

    def do_open_dm(self, user: str, bot: str | None) -> str:
        return self.dm(self._bot(bot), self._world.users[user]).id

    def dm(self, bot: Bot, user: User) -> Channel:
        """The direct messages of a bot and a person."""
        key = bot.user.id, user.id
        if key not in self._world.dms:
            channel = Channel(self._world.snowflake(), DM, "", bot=bot.user.id, user=user.id)
            self._world.dms[key] = self._world.channels[channel.id] = channel
        return self._world.dms[key]

    def do_deny(self, channel: str, permissions: list[str]) -> None:
        self._world.channels[channel].denied = set(permissions)

    def do_close_dms(self, user: str) -> None:
        self._world.users[user].dms_closed = True

    def do_leave(self, user: str) -> None:
        self._world.users[user].left = True

    def do_lock(self, thread: str) -> None:
        self._world.channels[thread].locked = True

    def do_delete_channel(self, channel: str) -> None:
        del self._world.channels[channel]

    # What people do.

    def do_say(
        self, channel: str, user: str, text: str, mention: bool, reply_to: str | None, ping_replied: bool,
        kind: int | None, webhook: bool, bot: str | None, files: list[Json], sticker: bool, more: Json,
    ) -> str:  # fmt: skip
        place = self._world.channels[channel]
        if mention:
            text = f"<@{self._bot(bot).user.id}> {text}"
        message = Message(
            self._world.snowflake(), channel, self._world.users[user], text,
            kind if kind is not None else REPLY if reply_to else DEFAULT, time.time(),
            reply_to=reply_to, webhook=self._world.snowflake() if webhook else None,
            files=[
                File(self._world.snowflake(), file["name"], file["mime"], base64.b64decode(file["content"]))
                for file in files
            ],
            stickers=[{"id": self._world.snowflake(), "name": "Wave", "format_type": 1}] if sticker else [],
            more=more,
        )  # fmt: skip
        self._messages.mention_as_user(place, message, ping_replied=ping_replied)
        self._messages.post(place, message)
        return message.id

    def do_edit(self, channel: str, message: str, text: str) -> None:
        place = self._world.channels[channel]
        self._messages.change(place, place.messages[message], {"content": text})

    def do_repeat(self, channel: str, message: str) -> None:
        place = self._world.channels[channel]
        self._messages.repeat(place, place.messages[message])

    def do_delete(self, channel: str, message: str) -> None:
        place = self._world.channels[channel]
        self._messages.remove(place, place.messages[message])

    def do_purge(self, channel: str, messages: list[str]) -> None:
        place = self._world.channels[channel]
        self._messages.purge(place, [place.messages[message] for message in messages])

    def do_preview(self, channel: str, message: str) -> None:
        place = self._world.channels[channel]
        self._messages.preview(place, place.messages[message])

    def do_slash(
        self, channel: str, user: str, name: str, argument: str | Json | None, locale: str, bot: str | None
    ) -> str:
        place = self._world.channels[channel]
        return self._interactions.slash(
            self._bot(bot if place.type != DM else place.bot), place, self._world.users[user], name, argument, locale
        )

    def do_type(self, channel: str, user: str, name: str, option: str, typed: str, locale: str) -> str:
        place = self._world.channels[channel]
        bot = self._bot(None if place.type != DM else place.bot)
        return self._interactions.type(bot, place, self._world.users[user], name, option, typed, locale)

    def do_choices(self, interaction: str) -> list[Json] | None:
        return self._interactions.choices(interaction)

    def do_press(self, channel: str, user: str, message: str, custom_id: str, locale: str) -> str:
        place = self._world.channels[channel]
        return self._interactions.press(place, self._world.users[user], place.messages[message], custom_id, locale)

    # What can be seen.

    def do_messages(self, channel: str, since: str) -> list[Json]:
        found: list[Json] = []
        for message in reversed(self._world.channels[channel].messages.values()):
            if int(message.id) <= int(since):
                break
            found.append(asdict(message) | {"author": message.author.id, "author_is_bot": message.author.bot})
        return found[::-1]

    def do_commands(self, bot: str | None) -> list[Json]:
        return self._bot(bot).commands

    def do_calls(self, route: str | None) -> list[Json]:
        return [record.json() for record in self._front.calls if route is None or record.route == route]

    def do_stats(self) -> Json:
        bots = list(self._world.bots.values())
        return {
            "identifies": {bot.user.id: bot.identifies for bot in bots},
            "resumes": {bot.user.id: bot.resumes for bot in bots},
            "identifies_left": {bot.user.id: bot.identifies_left for bot in bots},
            "connections": sum(session.connection is not None for session in self._gateway.sessions.values()),
            "opened": self._gateway.opened,
            "close_codes": list(self._gateway.close_codes),
            "calls": dict(self._front.counts),
            "rate_limited": self._front.rates.refused,
        }

    # What goes wrong.

    def do_fail(self, route: str, **fault: Any) -> None:
        self._front.faults.add(route, Fault(**fault))

    def do_stop_failing(self) -> None:
        self._front.faults.clear()

    def do_drop_sockets(self, code: int | None) -> int:
        connections = list(self._gateway.connections)
        for connection in connections:
            if code is None:
                connection.cut()
            else:
                connection.close(code)
        return len(connections)

    def do_ask_to_reconnect(self) -> None:
        for connection in self._gateway.connections:
            connection.send_json({"op": RECONNECT, "d": None})

    def do_invalidate(self, resumable: bool) -> None:
        for connection in self._gateway.connections:
            connection.send_json({"op": INVALID_SESSION, "d": resumable})
            if not resumable and connection.session is not None:
                self._gateway.sessions.pop(connection.session.id, None)
                connection.session = None

    def do_refuse_resumes(self, count: int) -> None:
        self._gateway.refuse_resumes = count

    def do_revoke(self, bot: str | None) -> None:
        self._gateway.reset_token(self._bot(bot))

    def do_configure(self, settings: dict[str, Any]) -> None:
        left = settings.pop("identifies_left", None)
        for name, value in settings.items():
            if not hasattr(self._settings, name):
                raise UnknownAction(f"there is no setting {name}")
            setattr(self._settings, name, value)
        if left is not None:
            for bot in self._world.bots.values():
                bot.identifies_left = left

    def _bot(self, user: str | None) -> Bot:
        for bot in self._world.bots.values():
            if user is None or bot.user.id == user:
                return bot
        raise ValueError("there is no such bot")
