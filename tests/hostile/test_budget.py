"""What a bot's owner pays: budgets hold in a burst, with models that lie about what they cost, and after deaths."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from gptbot.conversation.folding import fold
from gptbot.conversation.spending import Spending
from gptbot.conversation.turn import Turn
from gptbot.inbox.claims import TurnLost
from gptbot.inbox.store import Store
from gptbot.llm.errors import BudgetSpent
from gptbot.locales import texts
from gptbot.platforms.inbound import Attachment
from gptbot.safety.budgets import Account
from tests.fakes.openai import FakeOpenAI
from tests.hostile.crowd import Crowd, crowd


def story(sentences: int) -> str:
    """A text of so many sentences, no two of which are the same."""
    return "".join(f"Once upon a time there was kettle {number}. " for number in range(sentences))


STORY = story(25)
"""200 words: so many tokens in the scripted model."""
LONGEST = 4096
"""Tokens of the longest answer: `reply_reserve` of the usual window."""
OVER = "I have used up my daily budget"


@pytest_asyncio.fixture
async def model() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


def paid(model: FakeOpenAI) -> int:
    """Tokens that the model gave out."""
    return sum(request.tokens_sent for request in model.requests)


async def held(people: Crowd) -> int:
    return int((await people.account()).get("held", 0))


async def test_a_burst_of_new_sessions_does_not_pass_the_budget(store_url: str, model: FakeOpenAI) -> None:
    """100 sessions, each at its first message: nobody's window is full, and nothing was spent when they came."""
    model.say(story(100), times=None, tokens_per_second=3000)
    async with crowd(store_url, model, limits={"tokensPerDay": 2000}) as people:
        assert await people.write(100) == 100
        people.work()
        await people.answered()
        assert 1000 < await people.spent() <= 2000 + LONGEST
        assert paid(model) <= 2000 + LONGEST
        assert len(model.requests) < 10
        over = [said for said in people.said if said.startswith(OVER)]
        assert len(over) >= 90
        assert await held(people) == 0
        assert await people.bot.store.command("XLEN", people.bot.keys.dead) == 0, "they are done, and not tried again"
        assert await people.write(1) == 0, "from now on the door is shut" if await people.spent() >= 2000 else ""


async def test_others_wait_for_what_is_reserved_and_not_used(store_url: str, model: FakeOpenAI) -> None:
    """Answers of 30 tokens in a budget of one longest answer: all of five people get theirs."""
    model.say("A short answer. " * 10, times=None)
    async with crowd(store_url, model, limits={"tokensPerDay": 4000}) as people:
        await people.write(5)
        people.work()
        await people.answered()
        assert len(model.requests) == 5
        assert not [said for said in people.said if said.startswith(OVER)]
        assert await held(people) == 0


async def test_an_answer_ends_where_the_budget_does(store_url: str, model: FakeOpenAI) -> None:
    model.say(story(1000), times=None, tokens_per_second=4000)
    async with crowd(store_url, model, 1, limits={"tokensPerDay": 1000}) as people:
        await people.write(1)
        people.work()
        await people.answered()
        [said] = people.said
        assert said.startswith("Once upon a time")
        assert said.endswith(texts("en")("cut-budget"))
        async with asyncio.timeout(10):
            await model.requests[0].ended.wait()
        assert model.requests[0].outcome == "aborted"
        assert await people.spent() <= 1500
        assert paid(model) < 3000


async def test_a_long_answer_goes_on_while_there_is_enough(store_url: str, model: FakeOpenAI) -> None:
    """Longer than what is reserved at first: more is reserved meanwhile."""
    model.say(story(1000), times=None, tokens_per_second=10_000)
    async with crowd(store_url, model, 1, limits={"tokensPerDay": 100_000}) as people:
        await people.write(1)
        people.work()
        await people.answered()
        [said] = people.said
        assert said == story(1000)
        assert await people.spent() >= 8000
        assert await held(people) == 0


async def test_one_person_does_not_use_up_what_others_may(store_url: str, model: FakeOpenAI) -> None:
    model.say(STORY, times=None)
    async with crowd(store_url, model, limits={"tokensPerUserPerDay": 600}) as people:
        for _ in range(8):
            await people.write(1, user="eve")
        await people.write(3)
        people.work()
        await people.answered()
        shares = [said for said in people.said if said.startswith("You have used up your share")]
        assert 4 <= len(shares) < 8
        assert len([said for said in people.said if said.startswith("Once")]) == 11 - len(shares)
        eve = people.bot.keys.pseudonym("web", "user", "eve")
        assert 300 < await people.spent(eve) <= 600 + 256


async def test_money_is_a_budget_too_at_the_prices_of_whoever_answers(store_url: str, model: FakeOpenAI) -> None:
    model.fail("unauthorized", model="gpt-test", times=None)
    model.say(STORY, times=None)
    llm = {
        "prices": {"input": 1, "output": 1, "currency": "EUR"},
        "fallbacks": [
            {"baseUrl": model.base_url, "model": "dear", "prices": {"input": 1000, "output": 2000, "cachedInput": 1}}
        ],
    }
    async with crowd(store_url, model, llm=llm, limits={"costPerDay": 2}) as people:
        await people.write(20)
        people.work()
        await people.answered()
        dear = [request for request in model.requests if request.body["model"] == "dear"]
        assert len(dear) >= 3
        cost = int((await people.account())["cost"])
        assert len(dear) * 200 * 2000 <= cost <= (2_000_000 + 300 * 2000 * 3)
        assert [said for said in people.said if said.startswith(OVER)]


async def test_a_worker_that_died_holds_nothing_for_ever(store_url: str, model: FakeOpenAI) -> None:
    """Its turn is taken over, in the place of what it had reserved."""
    model.say(STORY, tokens_per_second=5)
    model.say(STORY, times=None)
    async with crowd(store_url, model, 2, limits={"tokensPerDay": 1000}) as people:
        await people.write(1)
        dying, heir = people.bots
        [entry] = await dying.mailbox.receive(1, 5.0)
        claim = await dying.mailbox.claim(entry)
        assert claim is not None
        turn = asyncio.create_task(Turn(dying, claim).run())
        await model.wait_requests(1)
        async with asyncio.timeout(10):
            while not await held(people):
                await asyncio.sleep(0.01)
        await dying.store.close()  # as by kill -9: nothing more is said
        turn.cancel()
        people.bots = [heir]
        people.work()
        await people.answered()
        assert [said for said in people.said if said.startswith("Once")]
        assert await held(people) == 0
        assert not [name for name in await people.account() if name.startswith("=")]


async def test_a_reservation_lapses(store: Store, store_url: str, model: FakeOpenAI) -> None:
    async with crowd(store_url, model, 1, limits={"tokensPerDay": 4500}, llm={"totalTimeoutSeconds": 1}) as people:
        bot = people.bot
        endpoint = bot.model.endpoints[0]
        question: Any = [{"role": "user", "content": "?"}]
        lost = Spending(bot, Account("lost", "1"))
        await lost.before(endpoint, question)
        assert await held(people) > 4096
        key = bot.keys.tokens
        value: bytes = await store.command("HGET", key, "=lost")
        token, _, tokens, cost = value.decode().split()
        await store.command(
            "HSET", key, "=lost", f"{token} {int(time.time() * 1000) - 1} {tokens} {cost}", "lapses", "1"
        )
        await Spending(bot, Account("other", "2")).before(endpoint, question)
        account = await people.account()
        assert [name for name in account if name.startswith("=")] == ["=other"]
        assert int(account["held"]) < 4500


async def test_who_lost_the_turn_reserves_nothing_and_lets_nothing_go(store_url: str, model: FakeOpenAI) -> None:
    async with crowd(store_url, model, 2, limits={"tokensPerDay": 100_000}) as people:
        bot, keys = people.bot, people.bot.keys
        endpoint, question = bot.model.endpoints[0], [{"role": "user", "content": "?"}]
        await bot.store.command("HSET", keys.owner, "c", "7")
        mine = Spending(people.bots[1], Account("c", "7", conversation="c"))
        await mine.before(endpoint, question)  # type: ignore[arg-type]
        before = await held(people)
        late = Spending(bot, Account("c", "6", conversation="c"))
        with pytest.raises(TurnLost):
            await late.before(endpoint, question)  # type: ignore[arg-type]
        late.after(endpoint, question, None, 300)  # type: ignore[arg-type]
        await late.settle()
        assert await held(people) == before > 0
        assert await people.spent() > 100, "what it used was used"


async def test_a_day_ends_at_midnight(store: Store, store_url: str, model: FakeOpenAI) -> None:
    model.say(STORY, times=None)
    async with crowd(store_url, model, 1, limits={"tokensPerDay": 300}) as people:
        people.work()
        await people.write(2)
        await people.answered()
        assert [said for said in people.said if said.startswith(OVER)]
        asked = len(model.requests)
        await store.command("HINCRBY", people.bot.keys.tokens, "day", -1)
        people.sender.shown.clear()
        await people.write(1)
        await people.answered()
        assert len(model.requests) == asked + 1
        assert await people.spent() < 600


class Liar:
    """A model whose `usage` is whatever it is told to be; None: it sends none."""

    def __init__(self) -> None:
        self.usage: Any = None
        self.details: Any = None
        self.choice: Any = None
        """What is sent besides, fifty times."""
        self.pause = 0.0
        """Seconds."""
        self.breaks = False
        self.requests = 0
        self.base_url = ""

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(50 if self.choice else 0):
            await response.write(b"data: " + orjson.dumps({"choices": [self.choice]}) + b"\n\n")
            await asyncio.sleep(self.pause)
        for piece in (STORY[:400], STORY[400:]):
            chunk = {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
            await response.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
            if self.breaks:
                assert request.transport is not None
                request.transport.close()
                return response
        end = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]'
        usage = "" if self.usage is None else f',"usage":{self.usage}'
        await response.write(f"data: {end}{usage}}}\n\ndata: [DONE]\n\n".encode())
        return response


@pytest_asyncio.fixture
async def liar() -> AsyncIterator[Liar]:
    made, app = Liar(), web.Application()
    app.router.add_post("/v1/chat/completions", made.chat)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield made
    await runner.cleanup()


ABSURD = [
    None, "null", "[]", "7", '"many"', "{}",
    *(
        f'{{"prompt_tokens":{prompt},"completion_tokens":{completion}}}'
        for prompt, completion in [
            ("9007199254740993", "1"), ("100", "1" + "0" * 400), ("18446744073709551616", "5"), ("-5", "5"),
            ("100", "-5"), ("1.5", "2"), ("true", "5"), ("0", "0"), ("100", "0"), ("NaN", "5"), ('"12"', "5"),
            ("100", "15000000"), ("null", "null"), ("{}", "[]"),
        ]
    ),
]  # fmt: skip


@pytest.mark.parametrize("usage", ABSURD)
async def test_a_usage_that_cannot_be_counts_by_estimate(store_url: str, liar: Liar, usage: str | None) -> None:
    liar.usage = usage
    llm = {"baseUrl": liar.base_url, "contextWindow": 8192}
    async with crowd(store_url, FakeOpenAI(), 1, llm=llm, limits={"tokensPerDay": 100_000}) as people:
        people.work()
        await people.write(1)
        await people.answered()
        assert [said.strip() for said in people.said] == [STORY.strip()]
        assert 300 < await people.spent() < 400, "925 characters, at 3 a token, and the question"
        assert 0.25 <= people.bot.budget.ratio("gpt-test") == 3.0


THOUGHTS = "x" * 4000
BESIDES = {
    "parts": {"delta": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHTS}]}]}},
    "calls": {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": THOUGHTS}}]}},
    "details": {"delta": {"reasoning_details": [{"text": THOUGHTS}]}},
    "list": {"delta": {"content": "", "reasoning_content": [THOUGHTS]}},
    "unknown": {"delta": {"musing": THOUGHTS}},
    "choice": {"index": 1, "delta": {"content": THOUGHTS}},
}


@pytest.mark.parametrize("name", BESIDES)
async def test_all_that_a_model_sends_counts_where_it_tells_no_usage(store_url: str, liar: Liar, name: str) -> None:
    liar.choice = BESIDES[name]
    async with crowd(store_url, FakeOpenAI(), 1, {"baseUrl": liar.base_url}, limits={"tokensPerDay": 2000}) as people:
        people.work()
        for _ in range(3):
            await people.write(1)
            await people.answered()
        assert liar.requests == 1, "it has sent 200,000 characters of 2,000 tokens"
        assert await people.spent() > 1500


async def test_reasoning_ends_where_the_budget_does(store_url: str, liar: Liar) -> None:
    liar.choice, liar.pause = BESIDES["details"], 0.02
    async with crowd(store_url, FakeOpenAI(), 1, {"baseUrl": liar.base_url}, limits={"tokensPerDay": 5000}) as people:
        people.work()
        await people.write(1)
        await people.answered()
        assert [said for said in people.said if said.startswith(OVER)]
        assert 2000 < await people.spent() < 20_000, "ended long before its 200,000 characters"


async def test_cached_tokens_cost_less(store_url: str, liar: Liar) -> None:
    liar.usage = '{"prompt_tokens":1000,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":900}}'
    prices = {"input": 10, "output": 20, "cachedInput": 1}
    llm = {"baseUrl": liar.base_url, "prices": prices}
    async with crowd(store_url, FakeOpenAI(), 1, llm=llm) as people:
        people.work()
        await people.write(1)
        await people.answered()
        assert (await people.account())["cost"] == str(100 * 10 + 900 * 1 + 10 * 20)


async def test_tries_that_fail_are_paid_for(store_url: str, liar: Liar) -> None:
    """A stream that breaks in the middle, each time: the tries are counted, and end when the budget does."""
    liar.breaks = True
    async with crowd(store_url, FakeOpenAI(), 1, {"baseUrl": liar.base_url}, limits={"tokensPerDay": 500}) as people:
        await people.write(1)
        for _ in range(10):
            await people.bot.store.command("ZADD", people.bot.keys.later, "XX", 0, "c")
            await people.bot.mailbox.promote()
            entries = await people.bot.mailbox.receive(1, 0.1)
            if not entries:
                [due] = await people.bot.store.command("ZRANGE", people.bot.keys.later, 0, -1) or [None]
                if due is None:
                    break
                await people.bot.store.command("ZADD", people.bot.keys.later, "XX", 0, due)
                continue
            claim = await people.bot.mailbox.claim(entries[0])
            assert claim is not None
            await Turn(people.bot, claim).run()
        assert 2 <= liar.requests <= 3, "about 150 tokens each, and 256 must be left to begin"
        assert 250 < await people.spent() <= 500
        assert [said for said in people.said if said.startswith(OVER)]


async def test_folds_are_paid_for_and_refused(store_url: str, model: FakeOpenAI) -> None:
    model.say("Notes. " * 50, times=None)
    limits = {"tokensPerDay": 10_000}
    async with crowd(store_url, model, 1, limits=limits, context={"maxMessages": 2}) as people:
        bot = people.bot
        said = [orjson.dumps(["user" if n % 2 == 0 else "assistant", f"said {n} " * 20]) for n in range(8)]
        for name in ("c", "d"):
            await bot.store.command("RPUSH", bot.keys.context(name), *said)
            await bot.store.command("PEXPIRE", bot.keys.context(name), 60_000)
        assert await fold(bot, "c") == "folded"
        assert await people.spent() > 200
        assert await held(people) == 0
        await bot.store.command("HSET", bot.keys.tokens, "tokens", 10_000)
        asked = len(model.requests)
        with pytest.raises(BudgetSpent):
            await fold(bot, "d")
        assert len(model.requests) == asked


async def test_a_summary_is_paid_for_and_refused(store_url: str, model: FakeOpenAI) -> None:
    model.say("They talked about kettles.", times=None)
    async with crowd(store_url, model, 1, limits={"tokensPerDay": 10_000}) as people:
        bot = people.bot
        where = bot.keys.pseudonym("web", "conversation", "room")
        said = [orjson.dumps(["user" if n % 2 == 0 else "assistant", f"said {n} " * 20]) for n in range(8)]
        await bot.store.command("RPUSH", bot.keys.context(where), *said)
        people.work()
        await people.write(1, "!summary 1h", conversation="room", user="ada")
        await people.answered()
        spent = await people.spent(bot.keys.pseudonym("web", "user", "ada"))
        assert spent == await people.spent() > 100
        await bot.store.command("HSET", bot.keys.tokens, "tokens", 9_900)
        people.sender.shown.clear()
        await people.write(1, "!summary 1h", conversation="room", user="ada")
        await people.answered()
        assert people.said[-1].startswith(OVER)


async def test_voice_messages_are_paid_for_and_refused(store_url: str, model: FakeOpenAI) -> None:
    """Writing down a minute of speech costs more than the answer: it is reserved as well, before the answer is."""
    model.ear.usage = {"type": "tokens", "input_tokens": 600, "output_tokens": 100}
    llm = {"transcription": {"baseUrl": model.base_url, "model": "ear"}}
    voice = Attachment(kind="audio", mime="audio/ogg", size=10, reference={"id": "f"}, seconds=60)
    async with crowd(store_url, model, llm=llm, limits={"tokensPerDay": 3000}) as people:
        await people.write(20, "", attachments=(voice,))
        people.work()
        await people.answered()
        assert 2 <= model.ear.requests <= 4, "700 tokens each"
        assert 1400 <= await people.spent() <= 3000
        assert len([said for said in people.said if said.startswith(OVER)]) >= 16
        assert await held(people) == 0


async def test_moderation_that_costs_tokens_is_counted(store_url: str, model: FakeOpenAI) -> None:
    model.say("Yes.", times=None)
    moderation = {"moderation": {"baseUrl": model.base_url, "output": False}}
    async with crowd(store_url, model, 1, safety=moderation) as people:
        people.work()
        await people.write(1)
        await people.answered()
        before = await people.spent()
        model.settings.moderation_tokens = 50
        await people.write(1)
        await people.answered()
        assert await people.spent() == 2 * before + 50


async def test_an_administrator_is_warned_once_a_day_and_nobody_else(store_url: str, model: FakeOpenAI) -> None:
    model.say("Yes.", times=None)
    spec = {"limits": {"tokensPerDay": 100_000}, "access": {"administrators": ["web:page:public"]}}
    async with crowd(store_url, model, 1, **spec) as people:
        people.work()

        async def answer(**changes: Any) -> str:
            people.sender.shown.clear()
            assert await people.write(1, **changes)
            await people.answered()
            return people.said[-1]

        boss: dict[str, Any] = {"principals": ("page:public",), "user": "boss"}
        assert await answer(**boss) == "Yes."
        await people.bot.store.command("HSET", people.bot.keys.tokens, "tokens", 83_000)
        assert await answer() == "Yes.", "not an administrator"
        assert await answer(**boss, direct=False) == "Yes.", "others would see it"
        assert "83 % of my budget" in await answer(**boss)
        assert await answer(**boss) == "Yes.", "once a day"


async def test_limits_may_change_while_the_bot_runs(store_url: str, model: FakeOpenAI) -> None:
    from gptbot.reload import apply

    model.say(STORY, times=None)
    async with crowd(store_url, model, 1, limits={"tokensPerDay": 0}) as people:
        bot = people.bot
        people.work()
        await people.write(3)
        await people.answered()
        assert len(model.requests) == 3
        limits = bot.config.bot.spec.limits.model_copy(update={"tokens_per_day": 100})
        spec = bot.config.bot.spec.model_copy(update={"limits": limits})
        config = bot.config.bot.model_copy(update={"spec": spec})
        assert apply(bot, type(bot.config)(config, bot.config.secrets, bot.config.config_maps, bot.config.directory))
        assert await people.write(1) == 0
        assert len(model.requests) == 3
