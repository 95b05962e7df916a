"""The bots' users in the shared store. Servers neither copy users to each other nor need to keep them at a restart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from gptbot_api.store_functions import library
from gptbot_api.store_rights import USER_PREFIX, bot_of_user, former_rules, former_user_name, rules, user_name
from gptbot_operator.servers import Server, Servers
from gptbot_operator.store_client import fault_of

_AT_ONCE = 100
"""Users in one pipeline."""
_PROBE = f"{USER_PREFIX}probe"
"""A user that is made and taken away, to see whether that is possible. No bot's: those have a `/` in their names."""
FAILURES = (RedisError, OSError, TimeoutError)
"""What a store that is away or in trouble raises."""

_log = structlog.get_logger("gptbot_operator")


@dataclass(frozen=True, slots=True)
class _Account:
    """What a bot logs in with."""

    hashes: tuple[str, ...] = ()
    """Of its passwords."""
    only: bool = False
    """Those are all."""
    former: tuple[str, ...] = ()
    """Hashes of the passwords that its pods of an older version have, for a user of another name."""


class Accounts:
    """Users on each server of a store."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._wanted: dict[str, _Account] = {}
        self._run_ids: dict[Any, str] = {}
        """Address of a server to its life, as far as it has all users."""
        self._former: dict[str, set[str]] = {}
        """Bot to the names of its users of other versions, as of the last `refresh`."""
        self._unsaved = False
        self.unknown: set[str] = set()
        """Bots with users, as of the last `refresh`, that were not given any here."""
        self.possible: bool | None = None
        """Whether the store lets users be made; None: not known yet."""

    async def put(self, bot: str, hashes: tuple[str, ...], *, only: bool, former: tuple[str, ...] = ()) -> None:
        """Give a bot its user; `hashes`: SHA-256 of its passwords; `only`: no others may log in any more.

        `former`: those of its user of an older version; none: that one stays as it is, and ends with `only`. A server
        that does not take it now gets it with the next `refresh`.
        """
        before = self._wanted.get(bot, _Account())
        if not only and not former:
            former = before.former
        if (before.hashes, before.former) == (hashes, former) and (before.only or not only):
            return  # also when others were ended before: nothing brings them back
        self._wanted[bot] = _Account(hashes, only, former)
        self._unsaved = True
        for server in self._servers.known:
            try:
                for command in self._commands(bot):
                    await server.client.execute_command(*command)
                if only:  # no pod of an older version is left
                    await server.client.execute_command("ACL", "DELUSER", *self._formers(bot))
            except FAILURES as error:
                self._run_ids.pop(server.address, None)
                if forbidden(error):
                    self.possible = None

    def forget(self, bot: str) -> None:
        """A bot is no more: its user is not put back, and counts as unknown."""
        self._wanted.pop(bot, None)

    async def drop(self, bots: Collection[str]) -> None:
        """Take users away, and their connections with them. Raises one of FAILURES."""
        for bot in bots:
            self._wanted.pop(bot, None)
        self._unsaved = True
        names = [name for bot in bots for name in (user_name(bot), *self._formers(bot))]
        for server in self._servers.known:
            try:
                await server.client.execute_command("ACL", "DELUSER", *names)
            except ResponseError as error:
                if not forbidden(error):
                    raise

    async def refresh(self) -> None:
        """See what the store allows and put back the users that are missing. Raises one of FAILURES if none answers."""
        if self.possible is not True:
            self.possible = await self._try()
        if not self.possible:
            return
        answered, failure = 0, None
        self.unknown, self._former = set(), {}
        for server in self._servers.known:
            try:
                await self._complete(server)
                answered += 1
            except FAILURES as error:
                self._run_ids.pop(server.address, None)
                failure = error
        if failure is not None and not answered:
            raise failure
        if self._unsaved:
            self._unsaved = False
            await self._save()

    async def _save(self) -> None:
        """Let the servers that have a file for it keep their users at a restart."""
        for server in self._servers.known:
            try:
                await server.client.execute_command("ACL", "SAVE")
            except FAILURES:
                continue  # most have none: their users are put back

    async def _try(self) -> bool:
        """Whether users can be made on all servers that answer. Raises one of FAILURES when none does."""
        answered, failure = 0, None
        for server in self._servers.known:
            try:
                await server.client.execute_command("ACL", "SETUSER", _PROBE, "off")
                await server.client.execute_command("ACL", "DELUSER", _PROBE)
                await server.client.execute_command("ACL", "USERS")
                answered += 1
            except FAILURES as error:
                if forbidden(error):
                    return False
                failure = error
        if failure is not None and not answered:
            raise failure
        return answered > 0

    async def _complete(self, server: Server) -> None:
        run_id = str((await server.client.info("server")).get("run_id"))
        there: set[str] = {name.decode() for name in await server.client.execute_command("ACL", "USERS")}
        bots = {name: bot for name in there if (bot := bot_of_user(name))}
        self.unknown |= set(bots.values()) - self._wanted.keys()
        for name, bot in bots.items():
            if name != user_name(bot):
                self._former.setdefault(bot, set()).add(name)
        await self._drop_former(server, bots)
        new = self._run_ids.get(server.address) != run_id
        missing = [bot for bot in self._wanted if new or not self._names(bot) <= there]
        for first in range(0, len(missing), _AT_ONCE):
            await self._restore(server, missing[first : first + _AT_ONCE])
        # A primary hands functions on to its replicas.
        if not new or not server.primary or await self._load_functions(server):
            self._run_ids[server.address] = run_id
        if missing:
            self._unsaved = True
            _log.info("users put back in the store", users=len(missing))

    async def _drop_former(self, server: Server, bots: Mapping[str, str]) -> None:
        """Take away the users of other versions of bots that have pods of this one alone. `bots`: user to bot."""
        alone = {bot for bot, account in self._wanted.items() if account.only}
        old = [name for name, bot in bots.items() if bot in alone and name not in self._names(bot)]
        for first in range(0, len(old), _AT_ONCE):
            await server.client.execute_command("ACL", "DELUSER", *old[first : first + _AT_ONCE])
        self._unsaved = self._unsaved or bool(old)

    def _formers(self, bot: str) -> set[str]:
        return {former_user_name(bot)} | self._former.get(bot, set())

    async def _load_functions(self, server: Server) -> bool:
        """The bots' users call functions and may not load any. False: they are tried again at the next look."""
        try:
            if not await server.client.execute_command("FUNCTION", "LIST", "LIBRARYNAME", library().name):
                await server.client.execute_command("FUNCTION", "LOAD", library().text)
                _log.info("functions loaded into the store", library=library().name)
        except ResponseError as error:  # no memory left, or no rights; users are there all the same
            _log.warning("functions not loaded into the store; tried again", reason=str(fault_of(error, None)))
            return False
        return True

    async def _restore(self, server: Server, bots: Iterable[str]) -> None:
        pipeline = server.client.pipeline(transaction=False)
        for bot in bots:
            if bot in self._wanted:
                for command in self._commands(bot):
                    pipeline.execute_command(*command)
        await pipeline.execute()

    def _names(self, bot: str) -> set[str]:
        """Users that a bot is to have."""
        account = self._wanted[bot]
        names = (user_name(bot), account.hashes), (former_user_name(bot), account.former)
        return {name for name, hashes in names if hashes}

    def _commands(self, bot: str) -> Iterator[tuple[str, ...]]:
        """What makes the users of a bot."""
        account, database = self._wanted[bot], self._servers.database
        if account.hashes:
            passwords = (*(("resetpass",) if account.only else ()), *_told(account.hashes))
            yield ("ACL", "SETUSER", user_name(bot), *rules(bot, database), *passwords)
        if account.former:
            yield ("ACL", "SETUSER", former_user_name(bot), *former_rules(bot, database), *_told(account.former))


def _told(hashes: Iterable[str]) -> Iterator[str]:
    return (f"#{each}" for each in hashes)


def forbidden(error: BaseException) -> bool:
    """Whether a store says that users are not to be made here, as many of the providers' do."""
    text = str(error).lower()
    return isinstance(error, NoPermissionError) or (
        isinstance(error, ResponseError) and ("unknown command" in text or "unknown subcommand" in text)
    )
