"""The gateway role: runs the receiving halves of one bot's platforms and tells how they are."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import orjson

from gptbot.bot import Bot
from gptbot.conversation import commands
from gptbot.inbox.leases import StoreLeases
from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import GatewayContext, Misconfigured, PlatformGateway
from gptbot.platforms.registry import platform
from gptbot.telemetry import metrics
from gptbot.telemetry.logs import get_logger
from gptbot_api import InvalidManifest

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

log = get_logger("gateway")

_AFTER_MISTAKE = 300.0
"""Seconds until a platform that only a person can put right is tried again: refused logins are counted against us."""
_AFTER_FAILURE = 10.0
_REPORT_TTL = 120


class Gateway:
    """The receiving halves of one bot."""

    def __init__(self, bot: Bot, holder: str) -> None:
        self._bot = bot
        self._leases = StoreLeases(bot.store, bot.keys, holder)
        self._reports: dict[str, dict[str, object]] = {}
        self._reported = asyncio.Event()
        self._platforms: dict[str, PlatformGateway] = {}
        for name in bot.config.bot.spec.platforms.enabled():
            try:
                self._platforms[name] = platform(name).gateway(self._context(name))
            except (InvalidManifest, Misconfigured, LookupError) as error:
                self._report(name, connected=False, message=str(error))

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
            group.create_task(self._leases.attend(), name="gateways")
            group.create_task(self._publish(), name="reports")
            for name, half in self._platforms.items():
                group.create_task(self._receive(name, half), name=f"receive {name}")

    def _context(self, name: str) -> GatewayContext:
        def report(*, connected: bool, message: str = "") -> None:
            self._report(name, connected=connected, message=message)

        bot = self._bot
        return GatewayContext(
            bot=bot.config,
            settings=bot.settings(name),
            intake=bot.intake(name),
            leases=self._leases,
            report=report,
            commands=commands.menu(),
            store=bot.store,
            keys=bot.keys,
        )

    async def _receive(self, name: str, half: PlatformGateway) -> None:
        while True:
            pause = _AFTER_FAILURE
            try:
                await half.run()
                return
            except Misconfigured as error:
                self._report(name, connected=False, message=str(error))
                pause = _AFTER_MISTAKE
            except StoreUnavailable as error:
                self._report(name, connected=False, message=str(error))
                await self._bot.store.wait_available()
                pause = 0.0
            except Exception as error:
                self._report(name, connected=False, message="an internal error; the gateway's log has it")
                log.exception("a platform's gateway failed", exc_info=error, platform=name, bot=self._bot.key)
            await asyncio.sleep(pause)

    def _report(self, name: str, *, connected: bool, message: str = "") -> None:
        before = self._reports.get(name)
        if before and (before["connected"], before["message"]) == (connected, message):
            return
        say = log.info if connected and not message else log.warning
        say("connected" if connected else "not connected", platform=name, bot=self._bot.key, reason=message or None)
        metrics.PLATFORM_CONNECTED.labels(bot=self._bot.key, platform=name).set(int(connected))
        self._reports[name] = {"connected": connected, "message": message, "since": int(time.time())}
        self._reported.set()

    async def _publish(self) -> None:
        """Keep what was reported in the store, where the operator reads it."""
        key = self._bot.keys.platforms
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REPORT_TTL / 4):
                    await self._reported.wait()
            self._reported.clear()
            try:
                for name, report in list(self._reports.items()):  # platforms report while this waits
                    await self._bot.store.command("HSET", key, name, orjson.dumps(report))
                await self._bot.store.command("EXPIRE", key, _REPORT_TTL)
            except StoreUnavailable:
                await self._bot.store.wait_available()
                self._reported.set()
