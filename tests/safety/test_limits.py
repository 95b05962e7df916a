"""Limits on a real Valkey."""

import asyncio
import time

import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.safety.limits import Limits, Refusal
from gptbot_api.policy import Limits as LimitsSpec
from gptbot_api.policy import Rate


def limits(
    store: Store, keys: BotKeys, *, user: int = 1000, chat: int = 1000, per: str = "1h", tokens: int = 0
) -> Limits:
    spec = LimitsSpec(
        per_user=Rate(messages=user, per=per), per_chat=Rate(messages=chat, per=per), tokens_per_day=tokens
    )
    return Limits(store, keys, lambda: spec)


async def refused(checked: Limits, user: str, conversation: str) -> Refusal:
    refusal = await checked.check(user, conversation)
    assert refusal is not None
    return refusal


async def test_one_user_is_limited_over_all_chats_and_told_once(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, user=3)
    assert [await checked.check("anna", chat) for chat in ("a", "b", "c")] == [None, None, None]
    first, second = await refused(checked, "anna", "a"), await refused(checked, "anna", "b")
    assert (first.limit, first.notify, second.notify) == ("user", True, False)
    assert 3590 < second.retry_after <= 3600
    assert await checked.check("boris", "a") is None


async def test_one_chat_is_limited_over_all_users(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, chat=2)
    assert [await checked.check(user, "chat") for user in ("anna", "boris")] == [None, None]
    first, second = await refused(checked, "vera", "chat"), await refused(checked, "anna", "chat")
    assert (first.limit, first.notify, second.limit, second.notify) == ("chat", True, "chat", False)
    assert await checked.check("anna", "another chat") is None


async def test_what_one_limit_refuses_the_other_does_not_count(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, user=2, chat=1)
    assert await checked.check("anna", "full") is None
    for _ in range(5):
        assert (await refused(checked, "anna", "full")).limit == "chat"
    assert await checked.check("anna", "free") is None


async def test_the_window_slides(store: Store, keys: BotKeys) -> None:
    """Never more than the limit in any window, and a place is free as soon as its message has left the window."""
    checked, let_in = limits(store, keys, user=2, per="1s"), list[float]()
    notices = 0
    async with asyncio.timeout(20):
        while len(let_in) < 7:
            asked = time.monotonic()
            refusal = await checked.check("anna", "chat")
            if refusal is None:
                let_in.append(time.monotonic())
                if len(let_in) > 2:
                    assert let_in[-1] - let_in[-3] > 0.99
                    assert asked - let_in[-3] < 1.5
            else:
                notices += refusal.notify
                assert 0 < refusal.retry_after <= 1
                await asyncio.sleep(0.01)
    assert 1 <= notices <= 4


async def test_many_gateways_at_once_let_in_no_more_than_one(store_url: str, keys: BotKeys) -> None:
    async def gateway() -> int:
        async with Store.connect(store_url) as store:
            checked = limits(store, keys, user=17)
            return sum([await checked.check("anna", "chat") is None for _ in range(20)])

    async with asyncio.TaskGroup() as group:
        gateways = [group.create_task(gateway()) for _ in range(4)]
    assert sum(task.result() for task in gateways) == 17


async def test_the_daily_budget_of_tokens(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, tokens=100)
    assert await checked.spend(60) == 60
    assert await checked.check("anna", "a") is None
    assert await checked.spend(40) == 100
    first, second, elsewhere = [await refused(checked, "anna", chat) for chat in ("a", "a", "b")]
    assert (first.limit, first.notify, second.notify, elsewhere.notify) == ("tokens", True, False, True)
    assert 0 < first.retry_after <= 86400
    assert await limits(store, keys, tokens=0).check("anna", "a") is None


async def test_a_new_day_has_a_new_budget(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, tokens=100)
    await checked.spend(100)
    await store.command("HINCRBY", keys.tokens, "day", -1)
    assert await checked.check("anna", "a") is None
    assert await checked.spend(7) == 7


async def test_a_message_delivered_again_costs_nothing(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, user=1)
    assert await checked.check("anna", "a", "event-1") is None
    await store.command("SET", keys.seen("event-1"), "1", "PX", 60_000)
    assert await checked.check("anna", "a", "event-1") is None
    assert (await refused(checked, "anna", "a")).limit == "user"


async def test_a_lowered_limit_holds_at_once(store: Store, keys: BotKeys) -> None:
    for _ in range(5):
        assert await limits(store, keys, user=10).check("anna", "a") is None
    assert (await refused(limits(store, keys, user=3), "anna", "a")).limit == "user"


@pytest.mark.parametrize("answered", [True, False])
async def test_nothing_is_kept_for_ever(store: Store, keys: BotKeys, answered: bool) -> None:
    checked = limits(store, keys, user=1, chat=1, tokens=1)
    await checked.check("anna", "a")
    await checked.spend(2)
    if not answered:
        await checked.check("anna", "a")
        await checked.check("boris", "b")
    found: list[bytes] = await store.command("KEYS", f"{{{keys.bot}}}:*")
    assert len(found) == (3 if answered else 5)
    for key in found:
        assert 0 < await store.command("PTTL", key) <= 172_800_000
