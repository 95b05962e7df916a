"""The gateway role: runs the receiving halves of one bot's platforms and tells how they are."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from gptbot.bot import Bot
from gptbot.conversation import commands
from gptbot.inbox.expiry import Expiry
from gptbot.inbox.leases import StoreLeases
from gptbot.inbox.store import StoreUnavailable
from gptbot.living import persist
from gptbot.llm.probe import Probes
from gptbot.llm.watch import ModelWatch
from gptbot.platforms.base import GatewayContext, PlatformGateway
from gptbot.platforms.errors import Misconfigured
from gptbot.platforms.registry import platform
from gptbot.reports import Reports
from gptbot.telemetry.logs import get_logger
from gptbot_api import InvalidManifest

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

log = get_logger("gateway")

_AFTER_MISTAKE = 300.0
"""Seconds until a platform that only a person can put right is tried again: refused logins are counted against us."""
_AFTER_FAILURE = 10.0


class Gateway:
    """The receiving halves of one bot."""

    def __init__(self, bot: Bot, holder: str, probes: Probes | None = None) -> None:
        """`probes` are those of the process, which its bots share; None: the bot has its own."""
        self._bot = bot
        self._probes = probes or Probes(bot.http)
        self._leases = StoreLeases(bot.store, bot.keys, holder)
        self._reports = Reports(bot.store, bot.keys, self._leases)
        self._platforms: dict[str, PlatformGateway] = {}
        for name in bot.config.bot.spec.platforms.enabled():
            try:
                self._platforms[name] = platform(name).gateway(self._context(name))
            except InvalidManifest as error:
                self._reports.report(name, connected=False, reason="SecretMissing", message=str(error))
            except Misconfigured as error:
                self._reports.report(name, connected=False, reason=error.reason, message=str(error))
            except LookupError as error:
                self._reports.report(name, connected=False, reason="NotInstalled", message=str(error))

    @property
    def key(self) -> str:
        """The bot's `namespace/name`."""
        return self._bot.key

    def routes(self) -> list[BaseRoute]:
        """The HTTP routes of all the bot's platforms."""
        return [route for half in self._platforms.values() for route in half.routes()]

    async def run(self) -> None:
        """Receive until cancelled. One platform's trouble does not touch the others."""
        async with asyncio.TaskGroup() as group:
            for part, work in (("gateways", self._leases.attend), ("reports", self._reports.publish),
                               ("room", self._bot.share.watch)):  # fmt: skip
                group.create_task(persist(part, self._bot.key, work), name=part)
            group.create_task(self._keep_house(), name="housekeeping")
            for name, half in self._platforms.items():
                group.create_task(self._receive(name, half), name=f"receive {name}")

    def _context(self, name: str) -> GatewayContext:
        bot = self._bot
        return GatewayContext(
            bot=bot.config,
            settings=bot.settings(name),
            intake=bot.intake(name),
            leases=self._leases,
            report=partial(self._reports.report, name),
            commands=commands.menu(lambda: bot.config.bot.spec),
            store=bot.store,
            keys=bot.keys,
        )

    async def _keep_house(self) -> None:
        """Drop what waited too long and look after the model, in one gateway at a time."""
        while True:
            try:
                await self._leases.run("expiry", self._house)
            except Exception as error:
                log.exception("nobody drops what waited too long; tried again", exc_info=error, bot=self._bot.key)
            await asyncio.sleep(_AFTER_FAILURE)

    async def _house(self) -> None:
        bot = self._bot
        watch = ModelWatch(bot.store, bot.keys, bot.model.endpoints, self._probes)
        async with asyncio.TaskGroup() as group:
            group.create_task(Expiry(bot.mailbox).run(), name="expiry")
            group.create_task(persist("model", bot.key, watch.run), name="model")

    async def _receive(self, name: str, half: PlatformGateway) -> None:
        while True:
            pause = _AFTER_FAILURE
            try:
                await half.run()
                return
            except Misconfigured as error:
                self._reports.report(name, connected=False, reason=error.reason, message=str(error))
                pause = _AFTER_MISTAKE
            except StoreUnavailable as error:
                self._reports.report(name, connected=False, reason="StoreAway", message=str(error))
                await self._bot.store.wait_available()
                pause = 0.0
            except Exception as error:
                text = "an internal error; the gateway's log has it"
                self._reports.report(name, connected=False, reason="InternalError", message=text)
                log.exception("a platform's gateway failed", exc_info=error, platform=name, bot=self._bot.key)
            await asyncio.sleep(pause)
