"""What an answer is waited for: tokens, and for a bounded time what only says that the server works on."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import math

import pytest

from gptbot.llm.errors import ModelTimeout
from gptbot.llm.progress import Progress
from gptbot.llm.types import Endpoint
from tests.hostile.raw import EVENTS, raw_model
from tests.llm.conftest import MakeClient
from tests.llm.test_odd_streams import HELLO, WHOLE, event, response

OF_OPENROUTER, OF_DEEPSEEK = b": OPENROUTER PROCESSING\n\n", b": keep-alive\n\n"
ENDPOINT = Endpoint("http://127.0.0.1:1/v1", None, "m", timeout=60, stall=20, keep_alive=120, total_timeout=600)


def test_before_the_first_token_and_between_two_there_are_bounds_of_their_own() -> None:
    progress = Progress(ENDPOINT, 1000.0)
    assert progress.deadline == 1060
    progress.moved(1050.0)
    assert progress.deadline == 1070
    progress.moved(1069.0)
    assert progress.deadline == 1089
    patient = Progress(dataclasses.replace(ENDPOINT, timeout=5, stall=30), 0.0)
    assert patient.deadline == 5
    patient.moved(1.0)
    assert patient.deadline == 31


def test_signs_of_life_are_believed_for_a_bounded_time_since_the_last_token() -> None:
    progress = Progress(ENDPOINT, 0.0)
    deadlines = list[float]()
    for now in (10.0, 50.0, 59.0, 100.0, 119.0):
        progress.lives(now)
        deadlines.append(progress.deadline)
    assert deadlines == [70, 110, 119, 120, 120]
    assert not progress.lived_on(119.0)
    assert progress.lived_on(120.0)
    progress.moved(110.0)
    assert progress.deadline == 130
    progress.lives(125.0)
    assert progress.deadline == 145


@pytest.mark.parametrize("alive", [0, 5, 20])
def test_believed_for_no_longer_than_silence_they_count_for_nothing(alive: float) -> None:
    progress = Progress(dataclasses.replace(ENDPOINT, keep_alive=alive), 0.0)
    progress.lives(50.0)
    assert progress.deadline == 60
    progress.moved(55.0)
    progress.lives(70.0)
    assert progress.deadline == 75
    assert not progress.lived_on(200.0)


def test_nothing_outlasts_the_whole_time_or_the_end() -> None:
    progress = Progress(dataclasses.replace(ENDPOINT, total_timeout=30), 0.0)
    assert progress.deadline == 30
    assert (progress.spent(29.9), progress.spent(30.0)) == (False, True)
    progress.over = 4.0
    assert progress.deadline == 4
    assert math.isinf(Progress(ENDPOINT, 0.0).over)


@pytest.mark.parametrize("alive", [OF_OPENROUTER, OF_DEEPSEEK, b"\n", b"event: ping\ndata: \n\n", b":\r"])
async def test_signs_of_life_alone_are_waited_for_no_longer_than_set(
    make_client: MakeClient, endpoint: Endpoint, alive: bytes
) -> None:
    async with raw_model(EVENTS + alive, alive, pause=0.02) as url:
        short = dataclasses.replace(endpoint, base_url=url, timeout=0.2, keep_alive=0.6)
        started = asyncio.get_running_loop().time()
        with pytest.raises(ModelTimeout, match=r"signs of life and no token for 0\.6 s .*keepAliveSeconds"):
            await make_client(short).stream(HELLO, lambda _: None)
        assert asyncio.get_running_loop().time() - started >= 0.6


async def test_a_stream_that_stalls_is_given_up_by_a_bound_of_its_own(
    make_client: MakeClient, endpoint: Endpoint
) -> None:
    async with raw_model(response(event("Hel")).encode(), b"x", pause=30.0) as url:
        client = make_client(dataclasses.replace(endpoint, base_url=url, timeout=60.0, stall=0.2))
        async with asyncio.timeout(20):
            with pytest.raises(ModelTimeout, match=r"silent in mid-answer for 0\.2 s .*stallSeconds") as caught:
                await client.stream(HELLO, lambda _: None)
    assert caught.value.text == "Hel"


async def test_thoughts_are_tokens(make_client: MakeClient, endpoint: Endpoint) -> None:
    thought = f"data: {json.dumps({'choices': [{'delta': {'reasoning_content': 'Hm.'}}]})}\n\n"
    async with raw_model(response(thought).encode(), b"x", pause=30.0) as url:
        client = make_client(dataclasses.replace(endpoint, base_url=url, timeout=60.0, stall=0.2))
        async with asyncio.timeout(20):
            with pytest.raises(ModelTimeout, match="stallSeconds"):
                await client.stream(HELLO, lambda _: None)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("blank", ["\n", " \r\n", ": OPENROUTER PROCESSING\n\n", ":\r"])
async def test_an_object_may_come_behind_any_number_of_empty_lines_and_comments(
    make_client: MakeClient, endpoint: Endpoint, blank: str, streaming: bool
) -> None:
    async with raw_model(response(blank * 5000 + WHOLE, "application/json").encode()) as url:
        client = make_client(dataclasses.replace(endpoint, base_url=url))
        asked = client.stream(HELLO, lambda _: None) if streaming else client.complete(HELLO)
        assert (await asked).text == "Hello!"
