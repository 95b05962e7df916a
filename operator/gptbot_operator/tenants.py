"""The bots in the shared store: each with a user of its own, and with nothing left behind once it is deleted."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import time
from collections.abc import Collection
from typing import Any, Protocol

import structlog

from gptbot_api.store_faults import IN_USE, StoreFault
from gptbot_operator import metrics
from gptbot_operator.accounts import FAILURES, Accounts
from gptbot_operator.cancelling import cancelled
from gptbot_operator.purge import purge
from gptbot_operator.registry import Registry
from gptbot_operator.servers import Servers
from gptbot_operator.settings import Settings
from gptbot_operator.store_client import fault_of

_TIMEOUT = 3.0
"""Seconds for one command."""
_REFRESH_TIMEOUT = 15.0
"""Seconds for a look at all servers."""
_AGAIN = 3
"""Most passes at once for what bots leave."""
_PASSES = 40
"""Most looks for what is left in a store of a bot's own."""
_CANDIDATES = 50
"""Most bots the API server is asked about at once, whether they are still there."""

_log = structlog.get_logger("gptbot_operator")


class Bots(Protocol):
    """Tells which bots (`namespace/name`) are there; `Presence` does."""

    def known(self, bot: str, uid: str) -> bool:
        """Whether a bot with that uid was seen and not its deletion."""
        ...

    async def gone(self, bots: Collection[str]) -> set[str]:
        """Which of them are deleted for certain. Raises nothing."""
        ...

    async def ended(self, bots: Collection[str]) -> set[str]:
        """Which of them have no pods for certain. Raises nothing."""
        ...


class Tenants:
    """Looks after the shared store's users and registry, and erases what deleted bots leave in any store."""

    def __init__(self, settings: Settings, installation: str, bots: Bots) -> None:
        self._settings = settings
        self._bots = bots
        self._servers: Servers | None = None
        if settings.store_url is not None:
            with contextlib.suppress(ValueError):  # StoreReachable says what is wrong with it
                self._servers = Servers(settings.store_url, _TIMEOUT)
        self._accounts = Accounts(self._servers) if self._servers else None
        self._registry = Registry(self._servers, installation) if self._servers else None
        self._admitted: dict[str, str] = {}
        """Bot to the uid under which it uses the shared store."""
        self._left: dict[str, tuple[str, int]] = {}
        """Bot to the URL of its own store, and passes made there."""
        self._stray: dict[str, float] = {}
        """Bot that has a user and is nobody's, and since when that is known."""
        self._erasing = asyncio.Lock()
        self._tried = asyncio.Event()
        """The store was asked once, whatever came of it."""
        self._answers = False
        """It answered when it was asked last."""
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while not cancelled():
                await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.refresh_seconds):
                        await self._hurry.wait()
                self._hurry.clear()
        finally:
            if self._servers is not None:
                await self._servers.close()

    async def isolates(self) -> bool | None:
        """Whether bots have users of their own in the shared store; None while it cannot be asked."""
        if self._accounts is None or self._settings.store_isolation == "off":
            return False
        await self._tried.wait()
        return self._accounts.possible

    async def admit(self, bot: str, uid: str, passwords: tuple[str, ...], *, running: bool) -> StoreFault | None:
        """Let a bot into the shared store, before its pods are made; `passwords`: none without a user of its own.

        What another bot of that name left there is erased first, once no pod of that one is left; the fault IN_USE
        says that it has some. `running`: it has pods itself, which may have written. Returns why it could not be done
        now.
        """
        if self._accounts is None or not (await self._tried.wait() and self._answers):
            return None  # what there is to say is in StoreReachable
        if self._admitted.get(bot) != uid:
            try:
                if not running and await self._registry_differs(bot, uid) and not await self._bots.ended((bot,)):
                    return IN_USE
                await self._enroll(bot, uid, erase=bool(passwords) or not running)
            except (*FAILURES, LookupError) as error:
                return fault_of(error, None)
            self._admitted[bot] = uid
        if passwords:
            await self._accounts.put(bot, _hashes(passwords), only=False)
        return None

    async def settle(self, bot: str, password: str) -> None:
        """All pods of a bot have its newest password: no other is to work any more."""
        if self._accounts is not None and bot in self._admitted:
            await self._accounts.put(bot, _hashes((password,)), only=True)

    def leave(self, bot: str, own_store: str | None) -> None:
        """A bot is no more; `own_store`: URL of the store that it used in place of the shared one.

        Its pods may be in the middle of answers: user and keys stay until none of them is left.
        """
        self._admitted.pop(bot, None)
        if self._accounts is not None:
            self._accounts.forget(bot)
        if own_store is not None:
            self._left[bot] = own_store, 0
        self._hurry.set()

    def servers(self) -> Servers:
        """Those of the shared store, as of the last look at it. Raises LookupError when there is none."""
        if self._servers is None:
            raise LookupError("there is no shared store")
        return self._servers

    async def stopped(self, bot: str) -> bool:
        """Whether a bot has no pods."""
        return bool(await self._bots.ended((bot,)))

    async def depart(self, bot: str) -> None:
        """A bot has left the shared store, and nothing of its own is in it. Raises as the store's clients do."""
        assert self._registry is not None
        assert self._accounts is not None
        async with self._erasing:
            self._admitted.pop(bot, None)
            await self._accounts.drop([bot])
            await self._registry.remove([bot])

    async def begin(self, bot: str, *, running: bool) -> StoreFault | None:
        """A bot of that name is there: what an earlier one left in a store of its own is erased before, or stays.

        Returns IN_USE while pods of that one are left. `running`: the bot has pods itself.
        """
        if bot in self._left:
            if not running and not await self._bots.ended((bot,)):
                return IN_USE
            async with self._erasing:
                url, _ = self._left.pop(bot, ("", 0))
                with contextlib.suppress(*FAILURES, LookupError, ValueError):
                    await _erase_own(url, bot)
        return None

    async def _look(self) -> None:
        try:
            await self._refresh()
            self._tried.set()
            async with self._erasing:
                if self._answers:
                    await self._erase_orphans()
                    await self._drop_strays()
                await self._erase_left()
        except (*FAILURES, LookupError) as error:
            _log.info("shared store not looked after", reason=str(fault_of(error, None)))
        except Exception:
            _log.exception("shared store not looked after")

    async def _refresh(self) -> None:
        if self._servers is None or self._accounts is None:
            return
        try:
            async with asyncio.timeout(_REFRESH_TIMEOUT):
                await self._servers.find()
                if self._settings.store_isolation != "off":
                    await self._accounts.refresh()
            self._answers = True
        except (*FAILURES, LookupError) as error:
            self._answers = False
            _log.info("shared store cannot be asked", reason=str(fault_of(error, None)))

    async def _registry_differs(self, bot: str, uid: str) -> bool:
        """Whether another bot of that name used the store."""
        assert self._registry is not None
        return await self._registry.uid(bot) not in (None, uid)

    async def _enroll(self, bot: str, uid: str, *, erase: bool) -> None:
        assert self._registry is not None
        assert self._accounts is not None
        if await self._registry_differs(bot, uid):
            async with self._erasing:
                if erase:
                    await self._accounts.drop([bot])  # the last pods of the one before are cut off
                    await self._purge({bot})
                await self._registry.add({bot: uid})
        else:
            await self._registry.add({bot: uid})

    async def _erase_orphans(self) -> None:
        assert self._registry is not None
        assert self._accounts is not None
        entries = await self._registry.read()
        await self._registry.add({bot: uid for bot, uid in self._admitted.items() if bot not in entries})
        candidates = [
            bot for bot, uid in entries.items() if self._admitted.get(bot) != uid and not self._bots.known(bot, uid)
        ]
        some = random.sample(candidates, min(len(candidates), _CANDIDATES))  # not always the same, if it is not known
        orphans = await self._bots.gone(some) if some else set[str]()
        orphans = await self._bots.ended(orphans)
        if not orphans:
            return
        await self._accounts.drop(orphans)
        found = await self._purge(orphans)
        clean = orphans - found
        await self._registry.remove(clean)
        _log.info("bots that are no more erased from the shared store", bots=len(clean), not_yet=len(found))
        if clean and len(candidates) > _CANDIDATES:
            self._hurry.set()

    async def _drop_strays(self) -> None:
        """Take users away that no entry tells of. A store that lost its data gets the entries of others again first."""
        assert self._registry is not None
        assert self._accounts is not None
        if not self._accounts.unknown:
            self._stray.clear()
            return
        now = time.monotonic()
        strays = self._accounts.unknown - await self._registry.every()
        self._stray = {bot: self._stray.get(bot, now) for bot in strays}
        old = [bot for bot, since in self._stray.items() if now - since >= self._settings.resync_seconds]
        gone = await self._bots.gone(old[:_CANDIDATES]) if old else set[str]()
        if orphans := await self._bots.ended(gone):
            await self._accounts.drop(orphans)
            _log.info("users of nobody taken out of the shared store", users=len(orphans))

    async def _purge(self, bots: Collection[str]) -> set[str]:
        """Erase all keys of some bots; those that had some again and again, as while their pods go on writing."""
        assert self._servers is not None
        left = set(bots)
        for _ in range(_AGAIN):
            of_server: dict[Any, set[str]] = {}
            for bot in left:  # all of the bots' keys of one server are found in one pass
                of_server.setdefault(self._servers.of(bot), set()).add(bot)
            found: dict[str, int] = {}
            for client, its in of_server.items():
                found |= await purge(client, its)
            metrics.PURGED.inc(sum(found.values()))
            if not (left := set(found)):
                break
        return left

    async def _erase_left(self) -> None:
        gone = await self._bots.gone([*self._left][:_CANDIDATES]) if self._left else set[str]()
        for bot in await self._bots.ended(gone):
            url, passes = self._left.pop(bot)
            try:
                done = not await _erase_own(url, bot)
            except (*FAILURES, LookupError, ValueError) as error:
                done = False
                _log.info("own store not erased yet", bot=bot, reason=str(fault_of(error, None)))
            if not done and passes + 1 < _PASSES:
                self._left[bot] = url, passes + 1
            elif not done:
                _log.warning("keys of a deleted bot are left in the store it used", bot=bot)


async def _erase_own(url: str, bot: str) -> int:
    """One pass over a store of a bot's own; how many keys there were."""
    servers = Servers(url, _TIMEOUT)
    try:
        await servers.find()
        found = await purge(servers.of(bot), [bot])
    finally:
        await servers.close()
    metrics.PURGED.inc(sum(found.values()))
    return found.get(bot, 0)


def _hashes(passwords: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(hashlib.sha256(password.encode()).hexdigest() for password in passwords)
