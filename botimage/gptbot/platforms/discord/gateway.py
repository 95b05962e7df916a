"""The receiving half: logs in, takes a lease for each shard, and hands in what people say to the bot."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import aiohttp
import discord
from starlette.routing import BaseRoute

from gptbot.platforms.base import GatewayContext, Identity
from gptbot.platforms.discord import commands
from gptbot.platforms.discord.administrators import with_administrator
from gptbot.platforms.discord.catchup import CatchUp
from gptbot.platforms.discord.client import Client, GatewayInfo, Parser, Socket
from gptbot.platforms.discord.fields import fields, id_of, ids, word
from gptbot.platforms.discord.inflow import Inflow
from gptbot.platforms.discord.interactions import Acknowledgement, complete
from gptbot.platforms.discord.invitation import invitation
from gptbot.platforms.discord.mapping import (
    Directory,
    channel_of,
    from_edit,
    from_interaction,
    from_message,
    is_completion,
)
from gptbot.platforms.discord.places import Places
from gptbot.platforms.discord.registered import Registered
from gptbot.platforms.discord.rest import Rest
from gptbot.platforms.discord.sessions import SharedSessions
from gptbot.platforms.discord.shard import Resharded, Shard
from gptbot.platforms.discord.threads import Threads
from gptbot.platforms.discord.trouble import TROUBLE, refused, telling
from gptbot.platforms.errors import Misconfigured
from gptbot.platforms.inbound import Inbound
from gptbot.telemetry.logs import get_logger
from gptbot_api import InvalidManifest
from gptbot_api.base import seconds
from gptbot_api.platforms import Discord

log = get_logger(__name__)

LEASE: Final = "discord"
_LOGIN_TIMEOUT: Final = 60.0
_INTENT_OFF: Final = (
    "spec.answerIn.groups is always, but without the message-content intent Discord hides what does not mention the"
    " bot: set messageContentIntent to true, and switch the intent on in the Developer Portal under Bot"
)
_GUILD_TIMEOUT: Final = 10.0
_LONGEST_PAUSE: Final = 60.0


class DiscordGateway:
    """See `gptbot.platforms.base.PlatformGateway`."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._settings = cast(Discord, context.settings)
        self._directory = Directory()
        self._places = Places(context.store, context.keys, seconds(context.bot.bot.spec.privacy.retention))
        self._shared_out = 0
        self._notices: dict[str, str] = {}
        """Reason to message of what does not work as it should although messages are received."""
        self._identity: Identity | None = None

    def routes(self) -> Sequence[BaseRoute]:
        """None: Discord connects nowhere."""
        return ()

    async def run(self) -> None:
        """Receive until cancelled. Raises Misconfigured when the token or an intent is refused."""
        failures = 0
        while True:
            try:
                await self._serve()
            except Misconfigured as error:
                self._context.report(connected=False, reason=error.reason, message=str(error))
                raise
            except Resharded:
                log.warning("Discord wants another number of shards")
            except TROUBLE as error:
                text = f"Discord's API cannot be reached ({type(error).__name__}); trying again"
                self._context.report(connected=False, reason="Unreachable", message=text)
            failures += 1
            await asyncio.sleep(min(_LONGEST_PAUSE, 2.0**failures) * random.uniform(0.5, 1.0))

    async def _serve(self) -> None:
        settings = self._settings
        try:
            token = self._context.bot.secret(settings.token_secret_ref, "spec.platforms.discord.tokenSecretRef")
        except InvalidManifest as error:
            raise Misconfigured(str(error), "SecretMissing") from None
        async with (
            Client(settings.api_base_url, message_content=settings.message_content_intent) as client,
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        ):
            application, info = await self._log_in(client, token)
            rest = Rest(http, settings.api_base_url, token)

            async def know_guild(guild: str) -> None:
                await self._ask_for_guild(client, guild)

            catch_up = CatchUp(rest, self._places, self._directory, know_guild)
            self._shared_out = info.shards
            self._report()
            try:
                async with asyncio.TaskGroup() as tasks:
                    for number in range(info.shards):
                        tasks.create_task(
                            self._hold(number, info, client, rest, application, catch_up), name=f"{LEASE}:{number}"
                        )
            except BaseExceptionGroup as group:
                raise telling(group) from None

    async def _log_in(self, client: Client, token: str) -> tuple[str, GatewayInfo]:
        """Learn who the bot is and where the gateway; returns the application's id and the gateway."""
        try:
            async with asyncio.timeout(_LOGIN_TIMEOUT):
                user, application = await client.identity(token)
                info = await client.gateway_info()
        except discord.LoginFailure:
            raise refused(self._settings) from None
        except discord.HTTPException as error:
            if error.status == 401:
                raise refused(self._settings) from None
            if error.status == 404:
                text = "apiBaseUrl answers, but not as Discord's API does (HTTP 404): check it"
                raise Misconfigured(text, "NotADiscordApi") from None
            raise
        key, name = id_of(application), word(user, "username")
        shown = word(user, "global_name") or name or "bot"
        self._directory = Directory(id_of(user), shown, (name, *shown.split()[:1]))
        self._identity = Identity(name, invitation(key))
        self._notices.clear()
        if not self._settings.message_content_intent and self._context.bot.bot.spec.answer_in.groups == "always":
            self._notices["IntentOff"] = _INTENT_OFF
        if application.get("interactions_endpoint_url"):
            self._notices["InteractionsElsewhere"] = (
                "slash commands do not arrive: clear the Interactions Endpoint URL in the Developer Portal"
            )
        return key, info

    async def _hold(
        self, number: int, info: GatewayInfo, client: Client, rest: Rest, application: str, catch_up: CatchUp
    ) -> None:
        shared = SharedSessions(self._context.store, self._context.keys)

        def report(connected: bool, reason: str, message: str) -> None:
            receiver, of = f"{LEASE}:{number}", info.shards
            self._context.report(connected=connected, reason=reason, message=message, receiver=receiver, of=of)

        def parsers(inflow: Inflow, tasks: asyncio.TaskGroup) -> Mapping[str, Parser]:
            return self._parsers(client, rest, application, inflow, tasks)

        async def work() -> None:
            refusal = refused(self._settings)
            shard = Shard(number, info, client, self._context.intake, shared, catch_up, report, parsers, refusal)
            try:
                async with asyncio.TaskGroup() as tasks:
                    if number == 0:
                        tasks.create_task(self._register(client, application), name="discord commands")
                    await shard.run()
            except BaseExceptionGroup as group:
                error = telling(group)
                if isinstance(error, Misconfigured):
                    report(False, error.reason, str(error))  # the lease is still ours
                raise error from None

        await self._context.leases.run(f"{LEASE}:{number}", work)

    def _report(self) -> None:
        """What is to be said of the bot, beside how its shards are."""
        reason, message = next(iter(self._notices), ""), "; ".join(self._notices.values())
        self._context.report(
            connected=True, reason=reason, message=message, of=self._shared_out, identity=self._identity
        )

    async def _register(self, client: Client, application: str) -> None:
        """Make the slash commands what they should be; a failure is told and leaves the bot running."""
        if not self._context.commands:
            return
        try:
            wanted = commands.payload(self._context.commands)
            async with asyncio.timeout(_LOGIN_TIMEOUT):
                there = await client.commands(application)
                if not commands.same(wanted, there):
                    there = await client.overwrite_commands(application, wanted)
                    log.info("slash commands registered", count=len(wanted))
            await Registered(self._context.store, self._context.keys).keep(there)
        except (*TROUBLE, ValueError) as error:
            reason = f"code {error.code}" if isinstance(error, discord.HTTPException) else type(error).__name__
            self._notices["CommandsRefused"] = f"slash commands could not be registered ({reason})"
            log.warning(self._notices["CommandsRefused"])
            self._report()

    def _parsers(
        self, client: Client, rest: Rest, application: str, inflow: Inflow, tasks: asyncio.TaskGroup
    ) -> Mapping[str, Parser]:
        directory, context = self._directory, self._context
        threads = Threads(
            rest, directory, context.store, context.keys, context.intake, self._remembered,
            lambda: context.bot.bot.spec.answer_in.groups == "always",
        )  # fmt: skip

        async def know_guild(guild: str) -> None:
            await self._ask_for_guild(client, guild)

        def message(data: Any, socket: Socket, understood: Callable[..., Inbound | None] = from_message) -> None:
            async def understand() -> Inbound | None:
                # After a RESUME in a new process no Guild Create tells which role is the bot's own.
                guild = id_of(data, "guild_id")
                if guild and data.get("mention_roles") and guild not in directory.guilds:
                    await self._ask_for_guild(client, guild)
                message = understood(data, directory)
                if message is not None:
                    message = await threads.with_origin(message, data)
                return with_administrator(message, data, directory, know_guild)

            if not fields(data, "author").get("bot"):
                inflow.put(channel_of(data), understand, socket.keep())

        def edit(data: Any, socket: Socket) -> None:
            if data.get("author"):
                message(data, socket, from_edit)

        def delete(data: Any, socket: Socket) -> None:
            gone = ids(data, "ids") or [key for key in [id_of(data)] if key]
            inflow.drop(channel_of(data), gone, socket.keep())

        def interaction(told: Any, socket: Socket) -> None:
            data = {"application_id": application, **told}
            if is_completion(data):
                choices = commands.completions(data, self._context.commands)
                tasks.create_task(complete(rest, data, choices), name="discord completion")
                return
            inbound = from_interaction(commands.in_order(data, self._context.commands))
            inbound = with_administrator(inbound, data, directory, know_guild)
            if inbound is None:
                return
            acknowledgement = Acknowledgement(rest, data)
            tasks.create_task(acknowledgement.run(), name="discord acknowledgement")

            async def understand() -> Inbound | None:
                return inbound

            inflow.put(inbound.conversation, understand, socket.keep(), acknowledgement.hears)

        return {
            "GUILD_CREATE": lambda data, _: directory.guild(data),
            "GUILD_UPDATE": lambda data, _: directory.guild(data),
            "GUILD_DELETE": lambda data, _: directory.guild_gone(data),
            "GUILD_ROLE_CREATE": lambda data, _: directory.role(data),
            "GUILD_ROLE_UPDATE": lambda data, _: directory.role(data),
            "GUILD_ROLE_DELETE": lambda data, _: directory.role_gone(data),
            "THREAD_CREATE": lambda data, _: directory.thread(data),
            "THREAD_UPDATE": lambda data, _: directory.thread(data),
            "THREAD_DELETE": lambda data, _: directory.thread_gone(data),
            "MESSAGE_CREATE": message,
            "MESSAGE_UPDATE": edit,
            "MESSAGE_DELETE": delete,
            "MESSAGE_DELETE_BULK": delete,
            "INTERACTION_CREATE": interaction,
        }

    def _remembered(self) -> float:
        """Seconds that a conversation is remembered after its last message."""
        spec = self._context.bot.bot.spec
        return min(seconds(spec.context.ttl), seconds(spec.privacy.retention))

    async def _ask_for_guild(self, client: Client, guild: str) -> None:
        try:
            async with asyncio.timeout(_GUILD_TIMEOUT):
                self._directory.guild(await client.http.get_guild(int(guild)))
        except TROUBLE as error:
            log.warning("a guild's roles are unknown", error=type(error).__name__)
