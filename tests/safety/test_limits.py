"""Limits on a real Valkey."""

import asyncio
import time

import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.safety.budgets import Amount, Budgets
from gptbot.safety.limits import Limits, Refusal
from gptbot_api.policy import Limits as LimitsSpec
from gptbot_api.policy import Mute, Rate


def limits(
    store: Store, keys: BotKeys, *, user: int = 1000, chat: int = 1000, bot: int | None = None, per: str = "1h",
    tokens: int = 0, user_tokens: int = 0, mute: Mute | None = None,
) -> Limits:  # fmt: skip
    spec = LimitsSpec(
        per_user=Rate(messages=user, per=per), per_chat=Rate(messages=chat, per=per),
        per_bot=None if bot is None else Rate(messages=bot, per=per),
        tokens_per_day=tokens, tokens_per_user_per_day=user_tokens, mute=mute or Mute(after=0),
    )  # fmt: skip
    return Limits(store, keys, lambda: spec)


async def spend(store: Store, keys: BotKeys, tokens: int, *users: str, cost: int = 0) -> int:
    """Use tokens of the day; the bot's sum."""
    return (await Budgets(store, keys, LimitsSpec).spend(Amount(tokens, cost), users=users)).tokens


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
    checked = limits(store, keys, user=2, per="1s")
    let_in = list[tuple[float, float]]()  # when it was asked and answered; the store's own time lies between
    notices, refused = 0, 0.0
    async with asyncio.timeout(20):
        while len(let_in) < 7:
            asked = time.monotonic()
            refusal = await checked.check("anna", "chat")
            if refusal is None:
                let_in.append((asked, time.monotonic()))
                if len(let_in) > 2:
                    assert let_in[-1][1] - let_in[-3][0] > 0.99
                    assert refused - let_in[-3][1] < 1.01
            else:
                refused = asked
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
    assert await spend(store, keys, 60) == 60
    assert await checked.check("anna", "a") is None
    assert await spend(store, keys, 40) == 100
    first, second, elsewhere = [await refused(checked, "anna", chat) for chat in ("a", "a", "b")]
    assert (first.limit, first.notify, second.notify, elsewhere.notify) == ("tokens", True, False, True)
    assert 0 < first.retry_after <= 86400
    assert await limits(store, keys, tokens=0).check("anna", "a") is None


async def test_a_new_day_has_a_new_budget(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, tokens=100)
    await spend(store, keys, 100)
    await store.command("HINCRBY", keys.tokens, "day", -1)
    assert await checked.check("anna", "a") is None
    assert await spend(store, keys, 7) == 7


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


async def test_the_whole_bot_is_limited_and_each_chat_told_once(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, bot=2)
    assert [await checked.check(user, user) for user in ("anna", "boris")] == [None, None]
    first, second, elsewhere = [await refused(checked, "vera", chat) for chat in ("a", "a", "b")]
    assert (first.limit, first.notify, second.notify, elsewhere.notify) == ("bot", True, False, True)


async def test_the_tokens_of_one_user(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, user_tokens=100)
    assert await spend(store, keys, 201, "anna", "boris", "anna") == 201
    assert (await refused(checked, "anna", "a")).limit == "user-tokens"
    assert (await refused(checked, "boris", "a")).limit == "user-tokens"
    assert await checked.check("vera", "a") is None
    assert not (await refused(checked, "anna", "b")).notify, "told once, wherever it was"


@pytest.mark.parametrize(("whose", "limit"), [("", "cost"), ("user-", "user-cost")])
async def test_the_daily_budget_of_money(store: Store, keys: BotKeys, whose: str, limit: str) -> None:
    spec = LimitsSpec(cost_per_user_per_day=0.02) if whose else LimitsSpec(cost_per_day=0.02)
    checked = Limits(store, keys, lambda: spec)
    await spend(store, keys, 10, "anna", cost=19_999)
    assert await checked.check("anna", "a") is None
    await spend(store, keys, 0, "anna", cost=1)
    assert (await refused(checked, "anna", "a")).limit == limit


@pytest.mark.parametrize("spoiled", ["garbage", "-5", "1e300", "nan", "inf", ""])
async def test_a_spoiled_count_is_begun_anew(store: Store, keys: BotKeys, spoiled: str) -> None:
    """What stands in the store is not believed blindly: it must not stop the bot."""
    await spend(store, keys, 50, "anna")
    for key in (keys.tokens, keys.tokens_of("anna")):
        await store.command("HSET", key, "tokens", spoiled, "cost", spoiled, "held", spoiled, "lapses", spoiled)
    checked = limits(store, keys, tokens=100, user_tokens=100)
    assert await checked.check("anna", "a") is None
    assert (await checked.left("anna", "a")).bot_tokens.used == 0
    assert await spend(store, keys, 7, "anna") == 7


async def flood(store: Store, keys: BotKeys, spec: Mute) -> Refusal:
    """Come over the limit of one message in a window that has just begun, at a gateway that remembers nothing."""
    await store.command("DEL", keys.rate("user", "anna"), keys.told("user", "anna"))
    await store.command("HSET", keys.floods("anna"), "until", "0")
    checked = limits(store, keys, user=1, mute=spec)
    assert await checked.check("anna", "a") is None
    return await refused(checked, "anna", "a")


async def test_floods_are_answered_with_growing_pauses(store: Store, keys: BotKeys) -> None:
    spec = Mute(after=3, first="1m", longest="5m")
    found = [await flood(store, keys, spec) for _ in range(7)]
    assert [refusal.limit for refusal in found] == ["user", "user", "mute", "mute", "mute", "mute", "mute"]
    assert [refusal.retry_after for refusal in found[2:]] == [60, 120, 240, 300, 300]
    assert all(refusal.notify for refusal in found)
    elsewhere = await refused(limits(store, keys, user=1, mute=spec), "anna", "another chat")
    assert (elsewhere.limit, elsewhere.notify) == ("mute", False)
    assert 299 < elsewhere.retry_after <= 300
    assert 300 + 300 + 3600 - 10 < await store.command("PTTL", keys.floods("anna")) / 1000 <= 300 + 300 + 3600


async def test_a_pause_that_is_over_is_over(store: Store, keys: BotKeys) -> None:
    spec = Mute(after=1, first="1h")
    assert (await flood(store, keys, spec)).limit == "mute"
    await store.command("HSET", keys.floods("anna"), "until", "1")
    await store.command("DEL", keys.rate("user", "anna"))
    assert await limits(store, keys, user=1, mute=spec).check("anna", "a") is None


async def test_floods_are_forgiven_where_there_are_no_pauses(store: Store, keys: BotKeys) -> None:
    for _ in range(5):
        assert (await flood(store, keys, Mute(after=0))).limit == "user"


async def test_a_flood_does_not_reach_the_store(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, user=1, chat=2)
    for user in ("anna", "boris"):
        assert await checked.check(user, "a") is None
    assert (await refused(checked, "anna", "b")).notify
    assert (await refused(checked, "vera", "a")).notify
    before = store.round_trips
    for _ in range(1000):
        at_once = await refused(checked, "anna", "c")
        assert (at_once.limit, at_once.notify) == ("user", False)
        assert 3500 < at_once.retry_after <= 3600
        assert (await refused(checked, "gena", "a")).limit == "chat"
    assert store.round_trips == before


async def test_limits_that_changed_are_asked_for_anew(store: Store, keys: BotKeys) -> None:
    specs = [LimitsSpec(per_user=Rate(messages=count, per="1h")) for count in (1, 5)]
    checked = Limits(store, keys, lambda: specs[0])
    assert await checked.check("anna", "a") is None
    assert (await refused(checked, "anna", "a")).limit == "user"
    del specs[0]
    assert await checked.check("anna", "a") is None


async def test_what_is_left_can_be_asked(store: Store, keys: BotKeys) -> None:
    checked = limits(store, keys, user=10, chat=5, bot=100, tokens=1000)
    untouched = await checked.left("anna", "a")
    assert (untouched.user.left, untouched.chat.left, untouched.bot_tokens.left) == (10, 5, 1000)
    for user, chat in [("anna", "a"), ("anna", "b"), ("boris", "a"), ("anna", "a")]:
        assert await checked.check(user, chat) is None
    await spend(store, keys, 300, "anna", cost=5)
    await spend(store, keys, 800, "boris", cost=6)
    left = await checked.left("anna", "a")
    assert (left.user.left, left.chat.left, left.user.of, left.user.per) == (7, 2, 10, "1h")
    assert left.bot is not None
    assert left.bot.left == 96
    assert (left.user_tokens.used, left.user_tokens.left) == (300, None)
    assert (left.bot_tokens.used, left.bot_tokens.left) == (1100, 0)
    assert (left.user_cost.used, left.bot_cost.used, left.bot_cost.left) == (5, 11, None)
    await store.command("HINCRBY", keys.tokens_of("anna"), "day", -1)
    assert (await checked.left("anna", "a")).user_tokens.used == 0


async def test_messages_that_left_the_window_are_not_used_any_more(store: Store, keys: BotKeys) -> None:
    now = int(time.time() * 1000)
    for age in (7_200_000, 3_600_001, 1_800_000, 1000):
        await store.command("LPUSH", keys.rate("user", "anna"), now - age)
    assert (await limits(store, keys, user=10).left("anna", "a")).user.left == 8


async def test_something_is_told_once_by_all_gateways(store: Store, keys: BotKeys) -> None:
    one, other = limits(store, keys), limits(store, keys)
    told = [await gateway.tell("denied", "anna", 3600) for gateway in (one, one, other)]
    assert told == [True, False, False]
    assert await other.tell("denied", "boris", 3600)


@pytest.mark.parametrize("answered", [True, False])
async def test_nothing_is_kept_for_ever(store: Store, keys: BotKeys, answered: bool) -> None:
    checked = limits(store, keys, user=1, chat=1, tokens=1, mute=Mute())
    await checked.check("anna", "a")
    await spend(store, keys, 2, "anna")
    if not answered:
        await checked.check("anna", "a")
        await checked.check("boris", "b")
        await checked.tell("denied", "vera", 3600)
    found: list[bytes] = await store.command("KEYS", f"{{{keys.bot}}}:*")
    assert len(found) == (4 if answered else 8)
    for key in found:
        assert 0 < await store.command("PTTL", key) <= 172_800_000
