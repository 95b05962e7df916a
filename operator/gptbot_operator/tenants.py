"""The bots in the shared store: each with a user of its own, and with nothing left behind once it is deleted."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

import structlog

from gptbot_api.store_faults import IN_USE, StoreFault
from gptbot_operator import metrics
from gptbot_operator.accounts import FAILURES, Accounts
from gptbot_operator.cancelling import cancelled
from gptbot_operator.leftovers import Leftovers
from gptbot_operator.purge import purge
from gptbot_operator.registry import Registry
from gptbot_operator.servers import Servers
from gptbot_operator.settings import Settings
from gptbot_operator.store import Reading
from gptbot_operator.store_busy import end_endless
from gptbot_operator.store_client import fault_of
from gptbot_operator.store_share import Shares

_TIMEOUT = 3.0
"""Seconds for one command."""
_REFRESH_TIMEOUT = 15.0
"""Seconds for a look at all servers."""
_AGAIN = 3
"""Most passes at once for what bots leave."""
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

    async def ended(self, bots: Collection[str], *, sharing: bool = False) -> set[str]:
        """Which of them have no pods for certain; `sharing`: none that use the shared store. Raises nothing."""
        ...


class Tenants:
    """Looks after the shared store's users and registry, and erases what deleted bots leave in any store."""

    def __init__(self, settings: Settings, installation: str, bots: Bots, done: Callable[[str], None]) -> None:
        """`done`: called for a bot that is to be looked at, as what one of its name left was gone over."""
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
        self._shares = (
            Shares(settings.store_share, self._servers, self._admitted, settings.refresh_seconds)
            if self._servers
            else None
        )
        self._elsewhere: dict[str, str] = {}
        """Bot to the uid of the one of that name that has nothing in the shared store."""
        self._leftovers = Leftovers(bots, done)
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
            async with asyncio.TaskGroup() as tasks:
                self._leftovers.start(tasks)
                counting = None if self._shares is None else tasks.create_task(self._shares.run(), name="shares")
                while not cancelled():
                    await self._look()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._settings.refresh_seconds):
                            await self._hurry.wait()
                    self._hurry.clear()
                self._leftovers.close()
                if counting is not None:
                    counting.cancel()
        finally:
            if self._servers is not None:
                await self._servers.close()

    def judge(self, bot: str, reading: Reading | None) -> Reading | None:
        """What a reading of the shared store does not show of a bot's part in it."""
        return reading if self._shares is None else self._shares.judge(bot, reading)

    async def isolates(self) -> bool | None:
        """Whether bots have users of their own in the shared store; None while it cannot be asked."""
        if self._accounts is None or self._settings.store_isolation == "off":
            return False
        await self._tried.wait()
        return self._accounts.possible

    async def admit(
        self, bot: str, uid: str, passwords: tuple[str, ...], *, running: bool, former: tuple[str, ...] = ()
    ) -> StoreFault | None:
        """Let a bot into the shared store, before its pods are made; `passwords`: none without a user of its own.

        `former`: those of its user of an older version, whose pods may be there still. What another bot of that name
        left there is erased first, once no pod of that one is left; the fault IN_USE says that it has some. `running`:
        it has pods itself, which may have written. Returns why it could not be done now.
        """
        if self._accounts is None or not (await self._tried.wait() and self._answers):
            return None  # what there is to say is in StoreReachable
        self._elsewhere.pop(bot, None)
        if self._admitted.get(bot) != uid:
            try:
                if not running and await self._registry_differs(bot, uid) and not await self._bots.ended((bot,)):
                    return IN_USE
                await self._enroll(bot, uid, erase=bool(passwords) or not running)
            except (*FAILURES, LookupError) as error:
                return fault_of(error, None)
            self._admitted[bot] = uid
        if passwords or former:
            await self._accounts.put(bot, _hashes(passwords), only=False, former=_hashes(former))
        return None

    def admitted(self, bot: str, uid: str) -> bool:
        """Whether a bot was let in, and nothing of another one of its name is left."""
        return self._admitted.get(bot) == uid

    def elsewhere(self, bot: str, uid: str) -> None:
        """A bot has nothing in the shared store: what is there under its name is of another one before."""
        self._elsewhere[bot] = uid

    async def settle(self, bot: str, password: str) -> None:
        """All pods of a bot have its newest password: no other is to work any more."""
        if self._accounts is not None and bot in self._admitted:
            await self._accounts.put(bot, _hashes((password,)), only=True)

    def leave(self, bot: str, own_stores: Collection[str]) -> None:
        """A bot is no more; `own_stores`: URLs of stores that hold what it keeps beside the shared one.

        Its pods may be in the middle of answers: user and keys stay until none of them is left.
        """
        self._admitted.pop(bot, None)
        self._elsewhere.pop(bot, None)
        if self._accounts is not None:
            self._accounts.forget(bot)
        self._leftovers.add(bot, own_stores)
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

        Returns why it has to wait for that. `running`: the bot has pods itself.
        """
        return await self._leftovers.begin(bot, running=running)

    async def _look(self) -> None:
        try:
            await self._refresh()
            self._tried.set()
            async with self._erasing:
                if self._answers:
                    await self._erase_orphans()
                    await self._drop_strays()
            await self._leftovers.look()
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
                await end_endless(self._servers.known)
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
        await self._registry.add({bot: uid for bot, uid in self._admitted.items() if entries.get(bot) != uid})
        candidates = [
            bot for bot, uid in entries.items() if bot not in self._admitted and not self._bots.known(bot, uid)
        ]
        some = random.sample(candidates, min(len(candidates), _CANDIDATES))  # not always the same, if it is not known
        moved = {bot for bot in some if self._elsewhere.get(bot, entries[bot]) != entries[bot]}
        orphans = await self._orphans(some, moved)
        if not orphans:
            return
        await self._accounts.drop(orphans)
        found = await self._purge(orphans)
        clean = orphans - found
        await self._registry.remove(clean)
        _log.info("bots that are no more erased from the shared store", bots=len(clean), not_yet=len(found))
        if clean and len(candidates) > _CANDIDATES:
            self._hurry.set()

    async def _orphans(self, bots: Collection[str], elsewhere: Collection[str]) -> set[str]:
        """Which of some bots have nobody who may still use the shared store.

        They are deleted, or are `elsewhere`: there is one of the name, which has nothing there.
        """
        gone = await self._bots.gone(bots) if bots else set[str]()
        ended = await self._bots.ended(gone)
        ended |= await self._bots.ended(set(elsewhere) - gone, sharing=True)
        return ended - self._admitted.keys()  # as of now: it may have been let in meanwhile

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
        some = old[:_CANDIDATES]
        if orphans := await self._orphans(some, self._elsewhere.keys() & set(some)):
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


def _hashes(passwords: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(hashlib.sha256(password.encode()).hexdigest() for password in passwords)
