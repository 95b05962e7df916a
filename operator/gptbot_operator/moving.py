"""Moves all that a bot keeps from one store to another, when its spec names another and none of its pods is at work."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from gptbot_api.store_faults import StoreFault
from gptbot_api.store_rights import key_prefix
from gptbot_api.store_url import StoreUrl
from gptbot_operator.accounts import FAILURES
from gptbot_operator.carrying import carry
from gptbot_operator.desired.secret import SHARED
from gptbot_operator.servers import Servers
from gptbot_operator.store_client import fault_of
from gptbot_operator.tenants import Tenants

_TIMEOUT = 3.0
"""Seconds for one command."""
_STEP_TIMEOUT = 40.0
"""Seconds for one look; the next one goes on where it ended."""
_PATIENCE = 120.0
"""Seconds to try an old store that does not answer; then the bot begins in the new one with what has arrived there."""
_PROBE_SECONDS = 60

_log = structlog.get_logger("gptbot_operator")


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a bot stands with its stores."""

    used: str | None
    """The store that holds what it keeps: `SHARED`, or a URL; None: it keeps nothing."""
    fault: StoreFault | None = None
    """Why it cannot begin in the store of its spec."""
    pods: Literal["run", "stay", "stop"] = "run"
    """`stay`: those that are there go on as they are. `stop`: there are to be none."""


class Moves:
    """Sees to it that a bot's pods find in its store what it kept in the one before."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._since: dict[str, float] = {}
        """Bot to when its move was tried first."""

    def forget(self, bot: str) -> None:
        """The bot is no more."""
        self._since.pop(bot, None)

    async def look(
        self, bot: str, uid: str, used: str | None, wanted: str | None, stopped: Callable[[], Awaitable[bool]]
    ) -> Stand:
        """What is to be done about the pods of a bot; what it keeps is moved once it has none.

        `used`, `wanted`: `SHARED`, or the URL of a store of its own; None: not known. `stopped`: whether the bot has
        neither Deployments nor pods.
        """
        if wanted is None or (wanted != SHARED and not _readable(wanted)):
            return Stand(used)  # StoreReachable says what is wrong
        if used is not None and _same(used, wanted):
            self._since.pop(bot, None)
            return Stand(wanted)
        fault = await self._fault(bot, wanted)
        if used is None:  # a store that was never there keeps nothing
            return Stand(wanted if fault is None else None)
        if fault is not None:
            return Stand(used, _moving(f"it cannot be used yet: {fault}"), "stay")
        if not await stopped():
            return Stand(used, _moving("its pods end first"), "stop")
        # In the shared store, what another bot of that name left is erased before anything of this one arrives.
        if wanted == SHARED and (fault := await self._tenants.admit(bot, uid, (), running=False)):
            return Stand(used, _moving(f"it cannot be used yet: {fault}"), "stop")
        since = self._since.setdefault(bot, time.monotonic())
        try:
            async with asyncio.timeout(_STEP_TIMEOUT):
                await self._move(bot, used, wanted)
        except (*FAILURES, LookupError, ValueError) as error:
            if time.monotonic() - since < _PATIENCE or await self._fault(bot, used) is None:
                return Stand(used, _moving(f"that goes wrong: {fault_of(error, None)}"), "stop")
            _log.warning("what a bot keeps is left in the store it used before", bot=bot, reason=type(error).__name__)
        self._since.pop(bot, None)
        return Stand(wanted)

    async def _fault(self, bot: str, store: str) -> StoreFault | None:
        """Why a store takes no writes of a bot."""
        try:
            async with asyncio.timeout(_TIMEOUT), self._servers(store) as target:
                await target.of(bot).set(f"{key_prefix(bot)}probe", "1", xx=True)
        except (*FAILURES, LookupError, ValueError) as error:
            return fault_of(error, None)
        return None

    async def _move(self, bot: str, used: str, wanted: str) -> None:
        async with self._servers(used) as source, self._servers(wanted) as target:
            if not await _one(source.of(bot), target.of(bot), bot):
                count = await carry(source.of(bot), target.of(bot), bot, dumped=wanted != SHARED)
                _log.info("moved to another store", bot=bot, keys=count)
        if used == SHARED:
            await self._tenants.depart(bot)

    @asynccontextmanager
    async def _servers(self, store: str) -> AsyncGenerator[Servers]:
        if store == SHARED:
            yield self._tenants.servers()
            return
        servers = Servers(store, _TIMEOUT)
        try:
            await servers.find()
            yield servers
        finally:
            await servers.close()


def _moving(why: str) -> StoreFault:
    text = f"is another one than before: what the bot kept in that one is moved before it begins; {why}"
    return StoreFault("Moving", text)


def _readable(text: str) -> bool:
    try:
        StoreUrl.parse(text)
    except ValueError:
        return False
    return True


def _same(one: str, other: str) -> bool:
    """Whether two stores are certainly the same, whatever the login."""
    if one == other:
        return True
    try:
        first, second = StoreUrl.parse(one), StoreUrl.parse(other)
    except ValueError:
        return False

    def place(url: StoreUrl) -> tuple[Any, ...]:
        return url.kind, frozenset(url.addresses), url.path, url.service, url.database

    return place(first) == place(second)


async def _one(source: Any, target: Any, bot: str) -> bool:
    """Whether both are the same server and database, however it is called: what is moved would be lost."""
    key, mark = f"{key_prefix(bot)}moving", secrets.token_hex(8)
    await source.set(key, mark, ex=_PROBE_SECONDS)
    there = await target.get(key)
    await source.delete(key)
    return there is not None and there.decode() == mark
