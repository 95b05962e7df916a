"""The fake is what the other tests stand on: it is read by the openai package, and refuses what the API refuses."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai.wheel import TimerWheel
from tests.llm.conftest import KEY

GOOD: dict[str, Any] = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]}


async def post(http: aiohttp.ClientSession, fake: FakeOpenAI, body: Any, key: str | None = KEY) -> tuple[int, Any]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with http.post(f"{fake.base_url}/chat/completions", json=body, headers=headers) as response:
        return response.status, (await response.json())["error"]


async def test_the_openai_package_reads_its_stream(fake: FakeOpenAI) -> None:
    fake.say("Один two\n\nthree 👋", tokens_per_second=100)
    text, usage = "", None
    async with openai.AsyncOpenAI(base_url=fake.base_url, api_key=KEY) as package:
        stream = await package.chat.completions.create(
            model="gpt-test",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            usage = chunk.usage or usage
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
    assert text == "Один two\n\nthree 👋"
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (1, 4)


async def test_usage_only_when_asked_for(fake: FakeOpenAI) -> None:
    async with openai.AsyncOpenAI(base_url=fake.base_url, api_key=KEY) as package:
        stream = await package.chat.completions.create(
            model="gpt-test", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        assert [chunk.usage async for chunk in stream if chunk.usage] == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model": "gpt-none"}, 404, "model_not_found"),
        ({"model": ""}, 400, None),
        ({"messages": []}, 400, "empty_array"),
        ({"messages": None}, 400, "missing_required_parameter"),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400, "invalid_value"),
        ({"messages": [{"role": "user", "content": 7}]}, 400, "invalid_type"),
        ({"messages": [{"role": "user", "content": "x", "id": 1}]}, 400, "unknown_parameter"),
        ({"temperature": 3}, 400, "decimal_above_max_value"),
        ({"temperature": "hot"}, 400, "invalid_type"),
        ({"stream_options": {"include_usage": True}}, 400, None),
        ({"colour": "red"}, 400, None),
        ({"messages": [{"role": "user", "content": "x" * 600_000}]}, 400, "context_length_exceeded"),
    ],
)
async def test_what_the_api_refuses_is_refused(
    fake: FakeOpenAI, http: aiohttp.ClientSession, change: dict[str, Any], status: int, code: str | None
) -> None:
    got, error = await post(http, fake, {**GOOD, **change})
    assert (got, error["code"]) == (status, code)


async def test_keys(fake: FakeOpenAI, http: aiohttp.ClientSession) -> None:
    assert (await post(http, fake, GOOD, "sk-wrong-key-000"))[1]["code"] == "invalid_api_key"
    assert (await post(http, fake, GOOD, None))[0] == 401


async def test_of_questions_in_one_message_the_last_is_answered(fake: FakeOpenAI) -> None:
    fake.say("first", match="one?", times=None)
    fake.say("second", match="two?", times=None)
    async with openai.AsyncOpenAI(base_url=fake.base_url, api_key=KEY) as package:
        for asked, expected in (("one?", "first"), ("one?\n\ntwo?", "second"), ("two? one?", "first")):
            answer = await package.chat.completions.create(
                model="gpt-test", messages=[{"role": "user", "content": asked}]
            )
            assert answer.choices[0].message.content == expected


async def test_scripts_are_matched_in_order(fake: FakeOpenAI) -> None:
    fake.say("about cats", match="cats", times=None)
    fake.say("once")
    async with openai.AsyncOpenAI(base_url=fake.base_url, api_key=KEY) as package:

        async def ask(text: str) -> str | None:
            answer = await package.chat.completions.create(
                model="gpt-test", messages=[{"role": "user", "content": text}]
            )
            return answer.choices[0].message.content

        assert [await ask("Hi"), await ask("cats?"), await ask("Hi"), await ask("cats!")] == [
            "once", "about cats", "You said (1 messages): Hi", "about cats",
        ]  # fmt: skip


async def test_the_server_is_scripted_over_http() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.openai", "--api-key", KEY,
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2], env=dict(os.environ),
    )  # fmt: skip
    assert process.stdout is not None
    try:
        base = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
        control = base.removesuffix("/v1") + "/control"
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{control}/scripts", json={"text": "scripted", "nonsense": 1}) as response:
                assert response.status == 400
            async with http.post(f"{control}/scripts", json=[{"text": "scripted"}, {"fault": "quota"}]) as response:
                assert await response.json() == {"scripts": 2}
            answers: list[Any] = []
            for _ in range(2):
                headers = {"Authorization": f"Bearer {KEY}"}
                async with http.post(f"{base}/chat/completions", json=GOOD, headers=headers) as response:
                    answers.append(await response.json())
            assert answers[0]["choices"][0]["message"]["content"] == "scripted"
            assert answers[1]["error"]["code"] == "insufficient_quota"
            async with http.get(f"{control}/requests") as response:
                requests = (await response.json())["requests"]
                assert [request["status"] for request in requests] == [200, 429]
                assert requests[0]["body"] == GOOD
                assert KEY not in await response.text()
            async with http.put(f"{control}/settings", json={"context_window": 1, "models": ["m"]}) as response:
                assert (await response.json())["context_window"] == 1
            async with http.post(f"{control}/reset") as response:
                assert response.status == 200
            async with http.get(f"{control}/requests") as response:
                assert await response.json() == {"requests": []}
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_the_wheel_calls_in_order_and_not_early() -> None:
    wheel, loop = TimerWheel(tick=0.002), asyncio.get_running_loop()
    start, called, done = loop.time(), list[tuple[float, float]](), asyncio.Event()
    for delay in (0.05, 0.0, 0.02, 0.021, 0.05, 0.01):
        wheel.call_at(start + delay, lambda delay=delay: called.append((delay, loop.time() - start)))
    wheel.call_at(start + 0.06, done.set)
    await asyncio.wait_for(done.wait(), 5)
    assert [delay for delay, _ in called] == sorted(delay for delay, _ in called)
    assert all(at >= delay for delay, at in called)
    done.clear()
    wheel.call_at(loop.time(), done.set)  # after it has stood still
    await asyncio.wait_for(done.wait(), 5)
    wheel.close()
