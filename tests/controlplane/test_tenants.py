"""Bots in the shared store: a user of their own each, and nothing left once they are deleted."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gptbot.inbox.store import Store, StoreUnavailable
from gptbot_api.store_rights import key_prefix, user_name
from gptbot_api.store_url import StoreUrl, login_as
from tests.controlplane.bot import Bot
from tests.controlplane.plane import wait_for
from tests.controlplane.running import OperatorProcess
from tests.store.servers import Server

MakeBot = Callable[..., Bot]
pytestmark = pytest.mark.usefixtures("operator")

ROTATE = "gptbot.dev/rotate-store-password"


def key(bot: Bot) -> str:
    return f"{bot.namespace}/{bot.name}"


def url_of(bot: Bot) -> str:
    """The URL that the bot's pods get, once it is there."""
    encoded = wait_for(lambda: bot.the("Secret", "gptbot")["data"].get("store-url"), "the store's URL")
    return base64.b64decode(encoded).decode()


async def ask(url: str, *command: Any) -> Any:
    async with Store.connect(url) as store:
        return await store.command(*command)


async def refuses(url: str, *command: Any) -> str:
    """What the store says against it; empty when it does it."""
    try:
        await ask(url, *command)
    except StoreUnavailable as error:
        return str(error)
    return ""


async def until(condition: Callable[[], Any], what: str) -> None:
    """Wait until an awaited condition holds."""
    try:
        async with asyncio.timeout(60):
            while not await condition():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{what}: not so after 60 s") from None


async def let_in(bot: Bot) -> str:
    """Wait until the bot's own login works; its URL."""
    url = url_of(bot)

    async def works() -> bool:
        return not await refuses(url, "PING")

    await until(works, "the bot's login")
    return url


async def traces(store: Store, bot: Bot) -> list[Any]:
    """Whatever tells of a bot in the store."""
    users: list[bytes] = await store.command("ACL", "USERS")
    keys: list[Any] = await store.command("KEYS", f"{key_prefix(key(bot))}*")
    return [
        *keys, *(user for user in users if user.decode() == user_name(key(bot))),
        *([entry] if (entry := await store.command("HGET", "gptbot:bots", key(bot))) else []),
    ]  # fmt: skip


async def fill(store: Store, bot: Bot, keys: int = 3000) -> None:
    """Keys as a bot has them, more than one step erases."""
    await asyncio.gather(*(store.command("SET", f"{key_prefix(key(bot))}ctx:{i}", "x") for i in range(keys)))


async def test_each_bot_has_a_user_of_its_own(make_bot: MakeBot, store_url: str) -> None:
    bot, other = make_bot(), make_bot("other")
    mine, theirs = await let_in(bot), await let_in(other)
    login = StoreUrl.parse(mine)
    assert login.username == user_name(key(bot))
    assert login.password not in (None, StoreUrl.parse(theirs).password, StoreUrl.parse(store_url).password)
    assert len(login.password) > 40
    assert await ask(mine, "SET", f"{key_prefix(key(bot))}ctx:x", "1") == b"OK"
    for command in (("GET", f"{key_prefix(key(other))}ctx:x"), ("FLUSHALL",), ("ACL", "LIST"), ("KEYS", "*")):
        assert "rights" in await refuses(mine, *command), command
    bot.wait_condition("StoreReachable", "True", "Reachable")


async def test_users_that_the_store_has_lost_are_put_back(make_bot: MakeBot, store: Store) -> None:
    bot, other = make_bot(), make_bot("other")
    urls = [await let_in(each) for each in (bot, other)]
    assert await store.command("ACL", "DELUSER", *(user_name(key(each)) for each in (bot, other))) == 2
    assert [await let_in(each) for each in (bot, other)] == urls
    bot.wait_settled()


async def test_a_password_is_changed_on_request_and_the_old_one_holds_until_the_pods_have_rolled(
    make_bot: MakeBot,
) -> None:
    bot = make_bot()
    old = await let_in(bot)
    bot.run_pods()
    hashes = bot.hashes()
    bot.api.patch("GptBot", bot.namespace, "bot", {"metadata": {"annotations": {ROTATE: "1"}}})
    wait_for(lambda: url_of(bot) != old, "another password")
    new = await let_in(bot)
    assert StoreUrl.parse(new).username == StoreUrl.parse(old).username
    wait_for(lambda: not set(bot.hashes()) & set(hashes), "the pods roll")
    wait_for(lambda: bot.api.list("Pod", bot.namespace)[2:], "pods of both templates")
    assert not await refuses(old, "PING"), "the pods that run have it"

    bot.run_pods()

    async def ended() -> bool:
        return "password" in await refuses(old, "PING")

    await until(ended, "the old password's end")
    assert await let_in(bot) == new
    bot.edit(context={"maxMessages": 7})
    bot.wait_settled()
    assert url_of(bot) == new, "a request is followed once"


async def test_a_deleted_bots_keys_are_erased_and_no_others(make_bot: MakeBot, store: Store) -> None:
    bot, other = make_bot(), make_bot("bot2")
    for each in (bot, other):
        await let_in(each)
        await fill(store, each)
    bot.api.delete("GptBot", bot.namespace, "bot")

    async def gone() -> bool:
        return not await traces(store, bot)

    await until(gone, "nothing is left of the bot")
    assert len(await traces(store, other)) >= 3002
    assert not await refuses(url_of(other), "PING")


def placed(bot: Bot) -> list[str]:
    """The names of the bot's pods, which are on a node now."""
    pods = wait_for(lambda: len(found := pods_of(bot)) > 1 and sorted(found), "its pods")
    for pod in pods:
        bot.api.bind(pod, bot.namespace)
    return pods


async def looked(operator: OperatorProcess, *bots: Bot) -> None:
    """Wait until the operator has looked at bots for a while."""
    await asyncio.to_thread(operator.looks_at, *bots)


@pytest.mark.parametrize("away", [False, True], ids=["operator there", "operator away"])
async def test_a_deleted_bot_ends_its_answers_first(
    make_bot: MakeBot, store: Store, stopped: OperatorProcess, away: bool
) -> None:
    bot, other = make_bot(), make_bot("other")
    url, _ = await let_in(bot), await let_in(other)
    pods = placed(bot)
    await fill(store, bot, 20)
    if away:
        stopped.stop()
    bot.api.delete("GptBot", bot.namespace, "bot")
    if away:
        stopped.start()
    wait_for(lambda: not bot.api.list("ReplicaSet", bot.namespace)[2:], "the garbage collector has been there")
    await looked(stopped, other)
    assert {pod["metadata"]["name"] for pod in bot.api.list("Pod", bot.namespace)} >= set(pods), "they are ending"
    assert await ask(url, "SET", f"{key_prefix(key(bot))}turn:x", "the answer's end") == b"OK"
    assert len(await traces(store, bot)) == 23

    again = make_bot()
    again.wait_condition("StoreReachable", "False", "InUse")
    await looked(stopped, again)
    assert not [each for each in again.children() if each.startswith("Deployment bot-")], "its pods would find keys"
    assert not await refuses(url, "PING")
    for pod in pods:
        bot.api.end(pod, bot.namespace)
    again.the("Deployment", "gateway")
    assert await let_in(again) != url
    assert "password" in await refuses(url, "PING")
    assert not await store.command("KEYS", f"{key_prefix(key(bot))}ctx:*")


async def test_what_bots_leave_is_erased_though_nobody_saw_them_go(
    make_bot: MakeBot, store: Store, stopped: OperatorProcess
) -> None:
    bots = [make_bot(), make_bot("other"), make_bot("stays")]
    for bot in bots:
        await let_in(bot)
        await fill(store, bot, 20)
    stopped.stop()
    for bot in bots[:2]:
        bot.api.delete("GptBot", bot.namespace, bot.name)
        wait_for(lambda bot=bot: bot.api.get("GptBot", bot.namespace, bot.name) is None, "the bot is gone at once")
    await store.command("ACL", "DELUSER", user_name(key(bots[0])))  # as a restart of the store does
    stopped.start()

    async def gone() -> bool:
        return not await traces(store, bots[0]) and not await traces(store, bots[1])

    await until(gone, "nothing is left of the bots")
    assert len(await traces(store, bots[2])) >= 22


@pytest.mark.parametrize("away", [False, True], ids=["operator there", "operator away"])
async def test_a_bot_of_the_same_name_finds_nothing_and_keeps_its_own(
    make_bot: MakeBot, store: Store, stopped: OperatorProcess, away: bool
) -> None:
    bot = make_bot()
    old = await let_in(bot)
    await fill(store, bot, 20)
    if away:
        stopped.stop()
    bot.api.delete("GptBot", bot.namespace, "bot")
    again = make_bot()
    if away:
        stopped.start()
    uid = again.document["metadata"]["uid"]

    def its_own() -> bool:
        secret = again.child("Secret", "gptbot")
        return secret is not None and secret["metadata"]["ownerReferences"][0]["uid"] == uid

    wait_for(its_own, "a Secret of the new bot", 60)
    new = await let_in(again)
    assert new != old
    assert "password" in await refuses(old, "PING"), "pods of the first are cut off"
    assert not await store.command("KEYS", f"{key_prefix(key(bot))}ctx:*")
    await ask(new, "SET", f"{key_prefix(key(bot))}ctx:new", "kept")
    await looked(stopped, again)
    assert await ask(new, "GET", f"{key_prefix(key(bot))}ctx:new") == b"kept"


async def test_a_store_of_the_bots_own_is_left_alone_until_the_bot_is_deleted(
    make_bot: MakeBot, store: Store, store_url: str
) -> None:
    bot = make_bot(store={"urlSecretRef": {"name": "store", "key": "url"}})
    bot.secret("store", url=store_url)
    bot.wait_condition("StoreReachable", "True", "Reachable")
    assert "store-url" not in bot.the("Secret", "gptbot")["data"]
    assert not await traces(store, bot), "neither user nor entry"
    await fill(store, bot)
    bot.api.delete("GptBot", bot.namespace, "bot")

    async def gone() -> bool:
        return not await traces(store, bot)

    await until(gone, "nothing is left of the bot")


def pods_of(bot: Bot) -> set[str]:
    """The names of a bot's pods."""
    pods = [pod["metadata"] for pod in bot.api.list("Pod", bot.namespace)]
    return {pod["name"] for pod in pods if pod["labels"]["gptbot.dev/bot"] == bot.name}


async def test_a_bot_takes_all_along_to_a_store_of_its_own_and_back(
    make_bot: MakeBot, store: Store, store_url: str, tmp_path: Path
) -> None:
    async with Server(tmp_path) as server, Store.connect(server.url) as own:
        bot, other = make_bot(), make_bot("other")
        url, _ = await let_in(bot), await let_in(other)
        pods = placed(bot)
        await fill(store, bot, 300)
        await fill(store, other, 20)
        bot.secret("store", url=server.url)
        bot.edit(store={"urlSecretRef": {"name": "store", "key": "url"}})
        bot.wait_condition("StoreReachable", "False", "Moving")
        wait_for(lambda: bot.child("Deployment", "gateway") is None, "its pods are to end")
        assert not await refuses(url, "PING"), "those that answer go on"
        assert len(await traces(store, bot)) >= 302
        assert not await traces(own, bot)

        for pod in pods:
            bot.api.end(pod, bot.namespace)
        bot.the("Deployment", "gateway")
        assert len(await traces(own, bot)) == 300
        assert not await traces(store, bot), "neither keys nor user nor entry"
        assert len(await traces(store, other)) == 22
        bot.wait_condition("StoreReachable", "True", "Reachable")
        container = bot.the("Deployment", "gateway")["spec"]["template"]["spec"]["containers"][0]
        assert "GPTBOT_STORE_URL" not in {each["name"] for each in container["env"]}

        before = wait_for(lambda: pods_of(bot), "pods")
        bot.edit(store=None)
        wait_for(lambda: (now := pods_of(bot)) and not now & before, "other pods", 60)
        bot.wait_condition("StoreReachable", "True", "Reachable")
        assert len(await traces(store, bot)) == 302
        assert not await traces(own, bot)
        new = await let_in(bot)
        assert StoreUrl.parse(new).username == user_name(key(bot))
        assert await ask(new, "GET", f"{key_prefix(key(bot))}ctx:7") == b"x"
        assert "used-store" not in bot.the("Secret", "gptbot")["data"]


async def test_pods_go_on_while_the_new_store_is_not_there(
    make_bot: MakeBot, store: Store, tmp_path: Path, stopped: OperatorProcess
) -> None:
    server = Server(tmp_path)
    bot = make_bot()
    await let_in(bot)
    pods = placed(bot)
    await fill(store, bot, 20)
    hashes = bot.hashes()
    bot.secret("store", url=server.url)
    bot.edit(store={"urlSecretRef": {"name": "store", "key": "url"}})
    bot.wait_condition("StoreReachable", "False")
    await looked(stopped, bot)
    stopped.stop()
    stopped.start()
    await looked(stopped, bot)
    assert bot.hashes() == hashes
    assert {pod["metadata"]["name"] for pod in bot.api.list("Pod", bot.namespace)} == set(pods)
    assert len(await traces(store, bot)) >= 22
    async with server, Store.connect(server.url) as own:
        wait_for(lambda: bot.child("Deployment", "gateway") is None, "its pods are to end")
        for pod in pods:
            bot.api.end(pod, bot.namespace)
        bot.the("Deployment", "gateway")
        assert len(await traces(own, bot)) == 20
        assert not await traces(store, bot)


@pytest.mark.parametrize("then", ["deleted", "taken back"])
async def test_nothing_stays_where_a_move_was_to_end(
    make_bot: MakeBot, store: Store, tmp_path: Path, stopped: OperatorProcess, then: str
) -> None:
    async with Server(tmp_path) as server, Store.connect(server.url) as own:
        bot = make_bot()
        await let_in(bot)
        await fill(store, bot, 300)
        await store.command("RPUSH", f"{key_prefix(key(bot))}ctx:list", "x")
        await server.ask("ACL", "SETUSER", "limited", "on", ">x", "~*", "+@all", "-restore", "-rpush")
        bot.secret("store", url=login_as(server.url, "limited", "x"))
        bot.edit(store={"urlSecretRef": {"name": "store", "key": "url"}})

        async def in_the_middle() -> bool:
            return bool(await traces(own, bot)) and "rights" in bot.conditions().get("StoreReachable", ("", "", ""))[2]

        await until(in_the_middle, "some of it has arrived")
        assert "moving-to" in bot.the("Secret", "gptbot")["data"]
        stopped.stop()
        stopped.start()
        await looked(stopped, bot)
        if then == "deleted":
            bot.api.delete("GptBot", bot.namespace, "bot")
        else:
            bot.edit(store=None)

        async def gone() -> bool:
            left = {each for each in await traces(store, bot) if each.startswith(key_prefix(key(bot)).encode())}
            return not await traces(own, bot) and len(left) == (0 if then == "deleted" else 301)

        await until(gone, "nothing of the bot is there")
        if then == "taken back":
            bot.the("Deployment", "gateway")
            bot.wait_condition("StoreReachable", "True", "Reachable")
            assert not {"moving-to", "used-store"} & set(bot.the("Secret", "gptbot")["data"])


async def test_a_refused_bot_keeps_its_user_and_leaves_nothing(
    make_bot: MakeBot, store: Store, tmp_path: Path, stopped: OperatorProcess
) -> None:
    async with Server(tmp_path) as server, Store.connect(server.url) as own:
        bot = make_bot()
        other = make_bot("other", store={"urlSecretRef": {"name": "store", "key": "url"}})
        other.secret("store", url=server.url)
        url = await let_in(bot)
        wait_for(lambda: "used-store" in other.the("Secret", "gptbot")["data"], "its store is written down")
        await fill(own, other, 20)
        for each in (bot, other):
            stolen = {"tokenSecretRef": {"name": "x-gptbot", "key": "pepper"}}
            each.edit(platforms={"web": {}, "telegram": stolen})
            each.wait_condition("Ready", "False", "NotAllowed")
        stopped.stop()
        stopped.start()
        await looked(stopped, bot, other)
        assert await store.command("ACL", "DELUSER", user_name(key(bot))) == 1

        async def put_back() -> bool:
            return not await refuses(url, "PING")

        await until(put_back, "the user that the store has lost")
        for each in (bot, other):
            each.api.delete("GptBot", each.namespace, each.name)

        async def gone() -> bool:
            return not await traces(own, other) and not await traces(store, bot)

        await until(gone, "nothing is left of the bots")
