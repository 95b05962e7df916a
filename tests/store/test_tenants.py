"""The operator's side of a shared store: users on every server of it, put back, and erased with all a bot left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.crc import key_slot

from gptbot.inbox.store import Store, StoreUnavailable
from gptbot_api import parse
from gptbot_api.store_faults import IN_USE
from gptbot_api.store_rights import former_user_name, full_key, key_prefix, user_name
from gptbot_api.store_url import login_as
from gptbot_operator.credentials import Credentials
from gptbot_operator.desired.secret import SHARED
from gptbot_operator.settings import Settings
from gptbot_operator.sharing import Login, Share, Sharing
from gptbot_operator.store import Reading
from gptbot_operator.store_allowance import Allowance
from gptbot_operator.tenants import Tenants
from tests.store.servers import Server, cluster

PEPPER = "p" * 40
NEEDED = ("+@read", "+@write", "+@connection", "+@scripting", "+info", "+acl")
"""What docs/store.md says that the operator's user needs."""


class Operator:
    """What the operator does with a shared store, without a cluster."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.url = url
        self.there: dict[str, str] = {}
        self.pods: set[str] = set()
        """Bots whose pods have not ended."""
        self.own: set[str] = set()
        """Those whose pods have a store of their own."""
        chosen = Settings(image="x", store_url=url, refresh_seconds=0.2, **settings)
        self.looks: list[str] = []
        """Bots that are to be looked at."""
        self.tenants = Tenants(chosen, "here", self, self.looks.append)
        self.sharing = Sharing(chosen, self.tenants)
        self.credentials: dict[str, Credentials] = {}

    def known(self, bot: str, uid: str) -> bool:
        return self.there.get(bot) == uid

    async def gone(self, bots: Collection[str]) -> set[str]:
        return {bot for bot in bots if bot not in self.there}

    async def ended(self, bots: Collection[str], *, sharing: bool = False) -> set[str]:
        return set(bots) - (self.pods - self.own if sharing else self.pods)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Operator]:
        task = asyncio.create_task(self.tenants.run())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def look(self, bot: str, uid: str = "1", rotate: str | None = None) -> Login:
        """What a look at a bot does with the store; a Secret is written after it."""
        self.there[bot] = uid
        namespace, _, name = bot.partition("/")
        metadata = {"name": name, "namespace": namespace, "uid": uid}
        spec = {"platforms": {"web": {}}, "llm": {"embedded": {}}}
        document = {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata, "spec": spec}
        subject = parse(document)
        if rotate:
            metadata["annotations"] = {"gptbot.dev/rotate-store-password": rotate}  # type: ignore[assignment]
        before = self.credentials.get(bot, Credentials(PEPPER))
        login = await self.sharing.login(bot, subject, document, before, Share(), running=bot in self.credentials)
        self.credentials[bot] = Credentials(PEPPER, login.url, login.rotation)
        return login


async def works(url: str, bot: str) -> bool:
    async with Store.connect(url, bot) as store:
        with contextlib.suppress(StoreUnavailable):
            return await store.command("SET", f"{key_prefix(bot)}x", "1") == b"OK"
    return False


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.05)


async def users(server: Server) -> set[str]:
    return {name.decode() for name in await server.ask("ACL", "USERS")}


async def test_a_store_that_comes_back_empty_gets_its_users_again(tmp_path: Path) -> None:
    async with Server(tmp_path) as server, Operator(server.url).running() as operator:
        urls = {bot: (await operator.look(bot)).url or "" for bot in (f"test/b{i}" for i in range(250))}
        await server.kill()
        await server.start()

        async def all_back() -> bool:
            return {user_name(bot) for bot in urls} <= await users(server)

        await until(all_back)
        assert await works(urls["test/b7"], "test/b7")

        async def written_down() -> bool:
            return await server.ask("HLEN", "gptbot:bots") == 250

        await until(written_down)


async def test_a_store_that_is_away_first_lets_bots_in_when_it_comes(tmp_path: Path) -> None:
    server = Server(tmp_path)
    async with Operator(server.url).running() as operator:
        first = await operator.look("test/a")
        assert first.url is not None
        assert user_name("test/a") != first.url, "nobody gets the operator's login meanwhile"
        assert first.password is not None
        async with server:

            async def let_in() -> bool:
                return (await operator.look("test/a")).url == first.url and await works(first.url or "", "test/a")

            await until(let_in)


async def test_another_password_holds_beside_the_old_one_until_all_pods_have_it(tmp_path: Path) -> None:
    async with Server(tmp_path) as server, Operator(server.url).running() as operator:
        old = await operator.look("test/a")
        assert await operator.look("test/a") == old
        new = await operator.look("test/a", rotate="please")
        assert new.url != old.url
        assert await operator.look("test/a", rotate="please") == new, "once"
        assert await operator.look("test/a") == Login(new.url, new.password), "withdrawn: nothing happens"
        assert await works(old.url or "", "test/a")
        assert await works(new.url or "", "test/a")
        await operator.tenants.settle("test/a", new.password or "")
        assert not await works(old.url or "", "test/a")
        assert await works(new.url or "", "test/a")


async def test_what_another_installation_has_there_is_left_alone(tmp_path: Path) -> None:
    async with Server(tmp_path) as server, Operator(server.url).running() as operator:
        await server.ask("HSET", "gptbot:bots", "test/theirs", "elsewhere 7", "test/a", "elsewhere 8")
        await server.ask("MSET", "{test/theirs}:ctx:x", "1", "{test/a}:ctx:x", "1")
        await server.ask("HSET", "gptbot:bots", "test/ours", "here 9")
        await server.ask("SET", "{test/ours}:ctx:x", "1")
        await operator.look("test/a")

        async def erased() -> bool:
            return not await server.ask("HEXISTS", "gptbot:bots", "test/ours")

        await until(erased)
        assert await server.ask("EXISTS", "{test/ours}:ctx:x", "{test/theirs}:ctx:x", "{test/a}:ctx:x") == 2
        assert await server.ask("HGET", "gptbot:bots", "test/theirs") == b"elsewhere 7"


@pytest.mark.parametrize("rules", ["-acl", "-acl|setuser"])
async def test_a_store_without_users_is_shared_and_that_is_said(tmp_path: Path, rules: str) -> None:
    async with Server(tmp_path) as server:
        await server.ask("ACL", "SETUSER", "limited", "on", ">x", "~*", *NEEDED, rules)
        limited = login_as(server.url, "limited", "x")
        reading = Reading(reachable=True, backlog=1)
        async with Operator(limited).running() as operator:
            login = await operator.look("test/a")
            assert login == Login(limited, isolated=False)
            judged = operator.sharing.judge(reading, login)
            assert judged is not None
            assert (judged.reachable, judged.reason, judged.backlog) == (True, "NotIsolated", 1)
            assert "ACL SETUSER" in judged.message
            del operator.there["test/a"]
            await server.ask("SET", "{test/a}:ctx:x", "1")
            operator.tenants.leave("test/a", ())

            async def erased() -> bool:
                return not await server.ask("EXISTS", "{test/a}:ctx:x", "gptbot:bots")

            await until(erased)
            await server.ask("ACL", "SETUSER", "limited", "+acl")

            async def isolated() -> bool:
                return (await operator.look("test/b")).password is not None

            await until(isolated)
        await server.ask("ACL", "SETUSER", "limited", rules)
        async with Operator(limited, store_isolation="required").running() as operator:
            login = await operator.look("test/c")
            assert login.password is not None
            judged = operator.sharing.judge(reading, login)
            assert judged is not None
            assert (judged.reachable, judged.reason) == (False, "NotIsolated")
        async with Operator(limited, store_isolation="off").running() as operator:
            login = await operator.look("test/d")
            assert login == Login(limited)
            assert operator.sharing.judge(reading, login) == reading


async def test_the_first_primary_and_its_replicas_have_the_users(tmp_path: Path) -> None:
    primary = Server(tmp_path)
    replica = Server(tmp_path, f"replicaof 127.0.0.1 {primary.port}")
    sentinel = Server(
        tmp_path, f"sentinel monitor shop 127.0.0.1 {primary.port} 1", "sentinel down-after-milliseconds shop 500",
        "sentinel failover-timeout shop 2000", sentinel=True,
    )  # fmt: skip
    async with primary, replica:
        await replica.until(b"master_link_status:up", "INFO", "replication")
        async with sentinel:
            await sentinel.until(f"'{replica.port}'".encode(), "SENTINEL", "REPLICAS", "shop")
            url = f"redis+sentinel://127.0.0.1:{sentinel.port}/shop/0"
            async with Operator(url).running() as operator:
                login = await operator.look("test/a")
                assert user_name("test/a") in await users(primary)

                async def on_replica() -> bool:
                    return user_name("test/a") in await users(replica)

                await until(on_replica)
                await primary.kill()
                await sentinel.until(f"{replica.port}".encode(), "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop")

                async def goes_on() -> bool:
                    return await works(login.url or "", "test/a")

                await until(goes_on)


async def test_every_server_of_a_cluster_has_the_users_and_keys_are_erased_where_they_are(tmp_path: Path) -> None:
    async with cluster(tmp_path) as servers:
        url = f"redis+cluster://127.0.0.1:{servers[1].port}"
        bots = [f"test/b{number}" for number in range(12)]
        assert len({key_slot(bot.encode()) // 5461 for bot in bots}) == 3
        async with Operator(url).running() as operator:
            for bot in bots:
                login = await operator.look(bot)

                async def let_in(url: str = login.url or "", bot: str = bot) -> bool:
                    return await works(url, bot)

                await until(let_in)
            for server in servers:

                async def complete(server: Server = server) -> bool:
                    return {user_name(bot) for bot in bots} <= await users(server)

                await until(complete)
            for bot in bots[1:]:
                del operator.there[bot]
                operator.tenants.leave(bot, ())

            async def left() -> bool:
                keys = [key for server in servers for key in await server.ask("KEYS", "*")]
                names = {name for server in servers for name in await users(server)}
                return sorted(keys) == [b"gptbot:bots", b"{test/b0}:x"] and names == {"default", user_name("test/b0")}

            await until(left)


async def test_users_of_nobody_are_taken_away(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        operator = Operator(f"redis://127.0.0.1:{server.port}/0", resync_seconds=0.5)
        async with operator.running():
            await operator.look("test/mine")
            for name in ("stray", "there", "at-work", "elsewhere", "mine"):
                await server.ask("ACL", "SETUSER", user_name(f"test/{name}"), "on", ">x")
            operator.there["test/there"] = "1"
            operator.pods.add("test/at-work")
            await server.ask("HSET", "gptbot:bots", "test/elsewhere", "another 1")

            async def taken() -> bool:
                return user_name("test/stray") not in await users(server)

            await until(taken)
            kept = {user_name(f"test/{name}") for name in ("there", "at-work", "elsewhere", "mine")}
            assert kept <= set(await users(server))
            operator.pods.clear()

            async def ended() -> bool:
                return user_name("test/at-work") not in await users(server)

            await until(ended)


async def test_what_a_bot_left_in_its_own_store_stays_while_its_pods_are_at_work(tmp_path: Path) -> None:
    async with Server(tmp_path) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        operator = Operator(url)
        operator.pods.add("test/a")
        await server.ask("SET", f"{key_prefix('test/a')}ctx:x", "1")
        operator.tenants.leave("test/a", [url])
        async with operator.running():
            assert await operator.tenants.begin("test/a", running=False) is IN_USE
            assert await server.ask("EXISTS", f"{key_prefix('test/a')}ctx:x") == 1
            operator.pods.clear()

            async def begun() -> bool:
                return await operator.tenants.begin("test/a", running=False) is None

            await until(begun)
            assert await server.ask("EXISTS", f"{key_prefix('test/a')}ctx:x") == 0


async def test_what_a_bot_fills_is_counted_while_the_operator_works(tmp_path: Path) -> None:
    share = Allowance.parse("5mb")
    async with Server(tmp_path) as server, Operator(server.url, store_share=share).running() as operator:
        await operator.look("test/a")
        await server.ask("SET", f"{key_prefix('test/a')}x", "x" * 6_000_000)

        async def marked() -> bool:
            return bool(await server.ask("EXISTS", full_key("test/a")))

        await until(marked)
        told = operator.tenants.judge("test/a", Reading(reachable=True))
        assert told is not None
        assert "operator.storeShare" in told.message
        await server.ask("DEL", f"{key_prefix('test/a')}x")

        async def free() -> bool:
            return not await marked()

        await until(free)


@pytest.mark.parametrize("former", [former_user_name("test/a"), "gptbot:1:test/a", "gptbot:99:test/a"])
async def test_pods_of_another_version_keep_their_user_until_they_end(tmp_path: Path, former: str) -> None:
    async with Server(tmp_path) as server, Operator(server.url).running() as operator:
        await server.ask("ACL", "SETUSER", former, "on", ">old", f"~{key_prefix('test/a')}*", "+eval", "+set")
        login = await operator.look("test/a")
        assert {former, user_name("test/a")} <= await users(server)
        assert login.password is not None
        await operator.tenants.settle("test/a", login.password)

        async def gone() -> bool:
            return former not in await users(server)

        await until(gone)
        assert user_name("test/a") in await users(server)
        async with Store.connect(login.url or "", "test/a") as store:
            with pytest.raises(StoreUnavailable, match="rights"):
                await store.command("EVAL", "while true do end", 0)
            assert await store.check(), "functions are there, and may be called"


async def test_what_a_bot_left_goes_though_one_of_its_name_is_elsewhere(tmp_path: Path) -> None:
    """A bot remade at once, with a store of its own: its pods are no reason to wait, those of the one before are."""
    async with Server(tmp_path) as server:
        operator = Operator(server.url, resync_seconds=0.5)
        async with operator.running():
            for name in ("test/a", "test/b", "test/c"):
                await operator.look(name)
                await server.ask("SET", f"{key_prefix(name)}ctx:x", "1")
                operator.tenants.leave(name, ())
                operator.there[name] = "2"
                operator.pods.add(name)
                if name != "test/c":  # which may be let in yet
                    operator.tenants.elsewhere(name, "2")
            operator.own.add("test/a")

            async def erased() -> bool:
                return not await traces("test/a")

            async def traces(name: str) -> list[Any]:
                found = await server.ask("KEYS", f"{key_prefix(name)}*") + [
                    await server.ask("HGET", "gptbot:bots", name)
                ]
                return [*filter(None, found), *(await users(server) & {user_name(name)})]

            await until(erased)
            assert len(await traces("test/b")) == len(await traces("test/c")) == 3
            operator.own.add("test/b")

            async def erased_too() -> bool:
                return not await traces("test/b")

            await until(erased_too)
            assert len(await traces("test/c")) == 3


async def test_an_entry_that_a_failover_brought_back_is_no_reason_to_erase(tmp_path: Path) -> None:
    async with Server(tmp_path) as server, Operator(server.url).running() as operator:
        await operator.look("test/a", uid="2")
        await server.ask("SET", f"{key_prefix('test/a')}ctx:x", "1")
        await server.ask("HSET", "gptbot:bots", "test/a", "here 1")

        async def corrected() -> bool:
            return await server.ask("HGET", "gptbot:bots", "test/a") == b"here 2"

        await until(corrected)
        assert await server.ask("EXISTS", f"{key_prefix('test/a')}ctx:x") == 1


@pytest.mark.parametrize("name", [user_name, former_user_name], ids=["this version", "an older one"])
async def test_bots_that_stay_as_they_are_get_their_users_back(tmp_path: Path, name: Callable[[str], str]) -> None:
    """A bot that is refused or paused, and an operator that was restarted: all it knows is in the bot's Secret."""
    async with Server(tmp_path) as server, Operator(server.url).running() as operator:
        url = login_as(server.url, name("test/a"), "secret")
        kept = Credentials(PEPPER, url, used=SHARED)
        await operator.sharing.keep("test/a", "1", kept)

        async def let_in() -> bool:
            return await works(url, "test/a")

        await until(let_in)
        await server.kill()
        await server.start()
        await until(let_in)

        async def written_down() -> bool:
            return await server.ask("HGET", "gptbot:bots", "test/a") == b"here 1"

        await until(written_down)
        login = await operator.look("test/a")
        assert await works(url, "test/a"), "its pods may be there still"
        await operator.tenants.settle("test/a", login.password or "")
        if name is former_user_name:
            assert not await works(url, "test/a")


async def test_a_bot_in_a_store_of_its_own_gets_no_user(tmp_path: Path) -> None:
    async with Server(tmp_path) as server, Operator(server.url).running() as operator:
        url = login_as(server.url, user_name("test/a"), "secret")
        for kept in (
            Credentials(PEPPER, url, used="redis://127.0.0.1:1/0"), Credentials(PEPPER),
            Credentials(PEPPER, url, used=SHARED, moving="redis://127.0.0.1:1/0"),
        ):  # fmt: skip
            await operator.sharing.keep("test/a", "1", kept)
        assert await users(server) == {"default"}
        assert not await server.ask("EXISTS", "gptbot:bots")
