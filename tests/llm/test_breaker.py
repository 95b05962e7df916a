"""The circuit breaker over the wire: every transition, on a clock that the test turns."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY

from gptbot.llm.breaker import LONG_PAUSE, MAX_LONG_PAUSE, MAX_PAUSE, PAUSE, THRESHOLD, Breaker
from gptbot.llm.client import ModelClient
from gptbot.llm.errors import ModelError, Unauthorized, Unreachable
from gptbot.llm.types import Endpoint, Message
from tests.fakes.openai import FakeOpenAI, Fault
from tests.llm.conftest import MakeClient

HELLO: list[Message] = [{"role": "user", "content": "Hello there"}]


class Clock:
    """Stands still until it is turned."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """A client of `gpt-test` with the fallback `gpt-other`, without retries, and its clock."""

    def __init__(self, fake: FakeOpenAI, make_client: MakeClient, endpoints: Sequence[Endpoint], retries: int) -> None:
        self.fake = fake
        self.clock = Clock()
        breaker = functools.partial(Breaker, clock=self.clock, chance=lambda: 0.0)
        self.client: ModelClient = make_client(*endpoints, breaker=breaker, max_retries=retries)
        self.before = self._gauge()

    async def ask(self) -> str:
        """Which model answered, or the kind of error."""
        try:
            return (await self.client.stream(HELLO, lambda text: None)).model
        except ModelError as error:
            return error.kind

    def asked(self) -> list[str]:
        """The models asked since the last look."""
        models = [request.body["model"] for request in self.fake.requests]
        self.fake.requests.clear()
        return models

    @property
    def open(self) -> float:
        """How many endpoints the gauge says have opened since the beginning."""
        return self._gauge() - self.before

    def _gauge(self) -> float:
        labels = ({"model": name} for name in ("gpt-test", "gpt-other"))
        return sum(REGISTRY.get_sample_value("gptbot_llm_endpoints_open", label) or 0.0 for label in labels)


@pytest.fixture
def other(endpoint: Endpoint) -> Endpoint:
    return dataclasses.replace(endpoint, model="gpt-other")


@pytest.fixture
def scene(fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint, other: Endpoint) -> Scene:
    return Scene(fake, make_client, [endpoint, other], 0)


async def opened(scene: Scene, fault: Fault = "server_error") -> None:
    """Fail the first endpoint until it is open."""
    scene.fake.fail(fault, model="gpt-test", times=None)
    while not scene.open:
        assert await scene.ask() == "gpt-other"
    scene.fake.reset()


async def test_failures_in_a_row_open_it_and_the_fallback_answers_at_once(scene: Scene) -> None:
    scene.fake.fail("server_error", model="gpt-test", times=THRESHOLD)
    for number in range(THRESHOLD):
        assert scene.open == 0, number
        assert await scene.ask() == "gpt-other"
    assert scene.asked() == ["gpt-test", "gpt-other"] * THRESHOLD
    assert scene.open == 1
    assert [await scene.ask(), await scene.ask()] == ["gpt-other", "gpt-other"]
    assert scene.asked() == ["gpt-other", "gpt-other"]


async def test_an_answer_between_failures_starts_the_count_again(scene: Scene) -> None:
    for _ in range(3):
        scene.fake.fail("server_error", model="gpt-test", times=THRESHOLD - 1)
        for _ in range(THRESHOLD - 1):
            assert await scene.ask() == "gpt-other"
        assert await scene.ask() == "gpt-test"
    assert scene.open == 0


@pytest.mark.parametrize("fault", ["refused", "context_too_long", "bad_parameter"])
async def test_what_is_wrong_with_a_request_opens_nothing(scene: Scene, fault: Fault) -> None:
    scene.fake.fail(fault, model="gpt-test", times=None)
    for _ in range(THRESHOLD + 1):
        await scene.ask()
    assert scene.asked().count("gpt-test") == THRESHOLD + 1
    assert scene.open == 0


@pytest.mark.parametrize("fault", ["unauthorized", "quota"])
async def test_what_only_a_person_can_mend_opens_it_at_once_and_for_longer(scene: Scene, fault: Fault) -> None:
    scene.fake.fail(fault, model="gpt-test")
    assert await scene.ask() == "gpt-other"
    assert scene.open == 1
    scene.asked()
    scene.clock.now += LONG_PAUSE - 1
    assert await scene.ask() == "gpt-other"
    scene.clock.now += 1
    assert await scene.ask() == "gpt-test"
    assert scene.asked() == ["gpt-other", "gpt-test"]
    assert scene.open == 0


async def test_a_model_that_is_not_there_opens_it_at_once(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint, other: Endpoint
) -> None:
    scene = Scene(fake, make_client, [dataclasses.replace(endpoint, model="gpt-none"), other], 0)
    assert [await scene.ask(), await scene.ask()] == ["gpt-other", "gpt-other"]
    assert scene.asked() == ["gpt-none", "gpt-other", "gpt-other"]


async def test_the_trial_that_succeeds_closes_it(scene: Scene) -> None:
    await opened(scene)
    scene.clock.now += PAUSE
    assert [await scene.ask(), await scene.ask()] == ["gpt-test", "gpt-test"]
    assert scene.open == 0


async def test_the_trial_that_fails_opens_it_for_twice_as_long_up_to_a_limit(scene: Scene) -> None:
    await opened(scene)
    pause = PAUSE
    for _ in range(8):
        scene.fake.fail("server_error", model="gpt-test")
        scene.asked()
        scene.clock.now += pause - 0.5
        assert await scene.ask() == "gpt-other"
        scene.clock.now += 0.5
        assert await scene.ask() == "gpt-other"
        assert scene.asked() == ["gpt-other", "gpt-test", "gpt-other"]
        assert scene.open == 1
        pause = min(pause * 2, MAX_PAUSE)
    assert pause == MAX_PAUSE
    scene.clock.now += pause
    assert await scene.ask() == "gpt-test"
    await opened(scene)
    scene.clock.now += PAUSE
    assert await scene.ask() == "gpt-test", "after it was closed, pauses begin small"


async def test_half_open_lets_one_through(scene: Scene) -> None:
    await opened(scene)
    scene.clock.now += PAUSE
    scene.fake.say("".join(f"slow{number} " for number in range(200)), tokens_per_second=50, model="gpt-test")
    trial = asyncio.create_task(scene.client.stream(HELLO, lambda text: None))
    await scene.fake.wait_requests(1)
    assert [await scene.ask(), await scene.ask()] == ["gpt-other", "gpt-other"]
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    assert scene.open == 1, "given up by us, it says nothing"
    assert scene.asked() == ["gpt-test", "gpt-other", "gpt-other"]
    assert await scene.ask() == "gpt-test", "the next may try"


async def test_when_all_are_open_the_one_that_opens_soonest_is_asked(scene: Scene) -> None:
    scene.fake.fail("quota", model="gpt-test", times=None)
    scene.fake.fail("server_error", model="gpt-other", times=None)
    for _ in range(THRESHOLD):
        await scene.ask()
    assert scene.open == 2
    scene.asked()
    assert await scene.ask() == "overloaded"
    assert scene.asked() == ["gpt-other"], "open for seconds, the other for minutes"
    scene.fake.reset()
    assert await scene.ask() == "gpt-other"
    assert scene.open == 1, "an answer closes it, whenever it comes"


async def test_an_only_endpoint_is_always_asked(fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint) -> None:
    scene = Scene(fake, make_client, [endpoint], 2)
    fake.fail("server_error", times=9)
    assert [await scene.ask() for _ in range(4)] == ["overloaded"] * 3 + ["gpt-test"]
    assert len(scene.asked()) == 10, "with all its retries"
    assert scene.open == 0


async def test_retries_end_when_it_opens(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint, other: Endpoint
) -> None:
    scene = Scene(fake, make_client, [endpoint, other], 50)
    fake.fail("server_error", model="gpt-test", times=None)
    assert await scene.ask() == "gpt-other"
    assert scene.asked() == ["gpt-test"] * THRESHOLD + ["gpt-other"]


async def test_it_stays_open_as_long_as_the_endpoint_asks(scene: Scene) -> None:
    scene.fake.fail("rate_limited", model="gpt-test", retry_after=90, times=THRESHOLD)
    for _ in range(THRESHOLD):
        await scene.ask()
    scene.asked()
    scene.clock.now += 89
    assert await scene.ask() == "gpt-other"
    scene.clock.now += 1
    assert await scene.ask() == "gpt-test"


async def test_requests_begun_before_it_opened_do_not_prolong_its_pause(scene: Scene) -> None:
    scene.fake.fail("server_error", model="gpt-test", times=THRESHOLD * 3, first_token_delay=0.2)
    assert await asyncio.gather(*(scene.ask() for _ in range(THRESHOLD * 3))) == ["gpt-other"] * (THRESHOLD * 3)
    assert scene.open == 1
    scene.clock.now += PAUSE
    assert await scene.ask() == "gpt-test"


def test_pauses_are_spread_and_limited() -> None:
    clock = Clock()
    for chance, least in ((0.0, LONG_PAUSE), (1.0, LONG_PAUSE * 0.75)):
        breaker = Breaker("spread", clock=clock, chance=lambda chance=chance: chance)
        breaker.failed(Unauthorized("no"), trial=breaker.begin())
        assert breaker.opens_at == clock.now + least
    endless = Breaker("spread", clock=clock, chance=lambda: 0.0)
    for _ in range(2000):
        endless.failed(Unauthorized("no"), trial=endless.begin())
        assert endless.opens_at <= clock.now + MAX_LONG_PAUSE
        clock.now = endless.opens_at
    assert endless.state == "half_open"


def test_a_trial_that_fails_after_another_request_closed_it_is_one_failure() -> None:
    clock = Clock()
    breaker = Breaker("late", clock=clock)
    breaker.failed(Unauthorized("no"), trial=breaker.begin())
    clock.now = breaker.opens_at
    assert breaker.begin()
    assert not breaker.begin()
    breaker.succeeded()
    breaker.failed(Unreachable("late"), trial=True)
    assert breaker.state == "closed"
