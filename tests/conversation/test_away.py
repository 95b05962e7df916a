"""A model that is away: no answer is lost for up to `answerIn.maxAge`, people hear of it once, commands go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from types import SimpleNamespace

import pytest

from gptbot.conversation import answering
from gptbot.conversation import turn as turns
from gptbot.conversation.turn import Turn
from gptbot.inbox.dead import DeadLetters
from gptbot.inbox.store import Store
from gptbot.llm import client
from gptbot.llm.errors import LONGEST_WAIT
from gptbot.locales import texts
from tests.conversation.room import Answer, Room, Sender, room
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai.script import Fault

SAY = texts("en")
HOUR = 3600.0


class Counting(Sender):
    """Counts what people get to see."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []

    async def send(self, *args: object, **more: object) -> str:
        self.requests.append("send")
        return await super().send(*args, **more)  # type: ignore[arg-type]

    async def edit(self, *args: object, **more: object) -> None:
        self.requests.append("edit")
        await super().edit(*args, **more)  # type: ignore[arg-type]


class Clock:
    """What turns take for the time."""

    def __init__(self) -> None:
        self.passed = 0.0

    def time(self) -> float:
        return time.time() + self.passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(turns, "time", SimpleNamespace(time=clock.time))
    return clock


@pytest.fixture
async def talk(store: Store, model: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Room]:
    monkeypatch.setattr(client, "INITIAL_RETRY_DELAY", 0.001)
    async with room(store, model) as found:
        found.sender = found.bot._senders["web"] = Counting()
        yield found


async def later(talk: Room) -> float | None:
    """Seconds until the next try; None: there is none."""
    found = await talk.store.command("ZRANGE", talk.bot.keys.later, 0, -1, "WITHSCORES")
    return float(found[1]) / 1000 - time.time() if found else None


async def again(talk: Room) -> None:
    """The time of the next try has come."""
    [conversation] = await talk.store.command("ZRANGE", talk.bot.keys.later, 0, -1)
    await talk.store.command("ZADD", talk.bot.keys.later, 0, conversation)
    await talk.store.command("HSET", talk.bot.keys.turn(conversation.decode()), "due", 0)
    await talk.bot.mailbox.promote()


@pytest.mark.parametrize("fault", ["drop", "server_error", "unauthorized", "quota"])
async def test_a_long_outage_costs_no_answer_and_is_told_once(
    talk: Room, model: FakeOpenAI, clock: Clock, fault: Fault
) -> None:
    model.fail(fault, times=None)
    assert await talk.tell("What is up?")
    waits = list[float]()
    for number in range(40):
        if number:
            await again(talk)
        shown = await talk.answer() if number == 0 else await turn(talk)
        assert shown is None or shown.text == SAY(f"trouble-{error_of(fault)}")
        wait = await later(talk)
        assert wait is not None, "it is not given up"
        waits.append(wait)
        clock.passed += wait
        if clock.passed > 0.9 * HOUR:
            break
    sender = talk.sender
    assert isinstance(sender, Counting)
    assert sender.requests == ["send"], "people hear of it once"
    assert max(waits) <= turns._MAX_DELAY + 1
    assert 15 < len(waits) < 60, "not often, and often enough"
    model.scripts.clear()
    model.say("The sky.")
    await again(talk)
    shown = await turn(talk)
    assert shown is not None
    assert shown.text == "The sky."
    assert sender.requests.count("send") == 1
    assert await DeadLetters(talk.store, talk.bot.keys).list() == []


def error_of(fault: Fault) -> str:
    return {"drop": "unreachable", "server_error": "overloaded"}.get(fault, fault)


async def turn(talk: Room) -> Answer | None:
    """Do the next turn; what it showed, if anything."""
    talk.sender.shown.clear()
    [entry] = await talk.bot.mailbox.receive(1, 5.0)
    claim = await talk.bot.mailbox.claim(entry, 20)
    assert claim is not None
    await Turn(talk.bot, claim).run()
    return list(talk.sender.shown.values())[-1] if talk.sender.shown else None


async def test_after_that_it_is_given_up_and_the_last_try_is_at_the_end_of_the_time(
    talk: Room, model: FakeOpenAI, clock: Clock
) -> None:
    model.fail("drop", times=None)
    assert await talk.tell("What is up?")
    await talk.answer()
    for _ in range(6):
        await again(talk)
        await turn(talk)
    clock.passed = HOUR - 30
    await again(talk)
    await turn(talk)
    wait = await later(talk)
    assert wait is not None
    assert wait <= 30.5, "it is tried once more before the time is over"
    clock.passed = HOUR + 1
    await again(talk)
    shown = await turn(talk)
    assert shown is not None
    assert shown.text == SAY("trouble-given-up")
    assert await later(talk) is None
    assert len(await DeadLetters(talk.store, talk.bot.keys).list()) == 1


async def test_a_question_that_fails_by_itself_has_six_tries_outages_not_counted(talk: Room, model: FakeOpenAI) -> None:
    model.fail("drop", times=3 * 7)
    assert await talk.tell("What is up?")
    await talk.answer()
    for _ in range(6):
        await again(talk)
        await turn(talk)
    model.scripts.clear()
    model.fail("bad_parameter", times=None)
    for number in range(turns.MAX_ATTEMPTS):
        await again(talk)
        shown = await turn(talk)
        assert shown is not None
        last = number == turns.MAX_ATTEMPTS - 1
        assert (await later(talk) is None) == last
        assert shown.text == SAY("trouble-given-up" if last else "trouble-bad_request")


async def test_a_new_question_makes_the_next_try_at_once_and_both_are_answered(talk: Room, model: FakeOpenAI) -> None:
    model.fail("drop", times=3)
    assert await talk.tell("What is up?")
    await talk.answer()
    assert await later(talk) is not None
    model.say("Both.")
    assert await talk.tell("Are you there?")
    assert await later(talk) is None
    shown = await turn(talk)
    assert shown is not None
    assert shown.text == "Both."
    assert "\n\n".join(talk.told[1:]) == "What is up?\n\nAre you there?"


async def test_a_wait_that_the_model_asks_for_is_kept(talk: Room, model: FakeOpenAI) -> None:
    model.fail("rate_limited", retry_after=100)
    assert await talk.tell("What is up?")
    await talk.answer()
    wait = await later(talk)
    assert wait is not None
    assert 95 < wait < LONGEST_WAIT
    assert await talk.tell("Are you there?")
    assert await later(talk) == pytest.approx(wait, abs=5)


async def test_commands_are_answered_while_it_is_away_and_the_notice_stays(talk: Room, model: FakeOpenAI) -> None:
    model.fail("drop", times=3)
    assert await talk.tell("What is up?")
    notice = await talk.answer()
    for text, part in (("!ping", "pong"), ("!usage", "used"), ("!help", "!reset"), ("!reset", "")):
        assert await talk.tell(text)
        answer = await turn(talk)
        assert answer is not None
        assert part.lower() in answer.text.lower()
        assert answer != notice
    [entry] = await talk.bot.mailbox.receive(1, 1.0)
    assert await talk.bot.mailbox.claim(entry) is None
    assert await later(talk) is not None
    model.say("The sky.")
    await again(talk)
    shown = await turn(talk)
    assert shown is not None
    assert shown.text == "The sky."


async def test_a_model_of_which_nothing_is_heard_is_waited_for_aloud(
    talk: Room, model: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "PATIENCE", 0.05)
    model.fail("hang")
    assert await talk.tell("What is up?")
    await talk.bot.mailbox.create_group()
    [entry] = await talk.bot.mailbox.receive(1, 5.0)
    claim = await talk.bot.mailbox.claim(entry)
    assert claim is not None
    turn = Turn(talk.bot, claim)
    running = asyncio.create_task(turn.run())
    async with asyncio.timeout(20):
        while not talk.sender.shown:
            await asyncio.sleep(0.01)
        assert [answer.text for answer in talk.sender.shown.values()] == [SAY("slow-model")]
        turn.stop()
        await running
    [answer] = talk.sender.shown.values()
    assert answer.text == SAY("cut-stopped"), "it is no part of the answer"
