"""`!stop` the whole way: from the platform past the mailbox to the worker, the model's connection and the context."""

from __future__ import annotations

import asyncio
from pathlib import Path

from redis.asyncio import Redis

from gptbot.locales import texts
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import Valkey, program, until, write_manifest
from tests.process.test_roles import PERSON, answers

SAY = texts("en")
ENDED = "Stopped."


async def _all_done(valkey: Valkey) -> None:
    """Wait until no conversation is in line or being answered."""
    async with Redis.from_url(valkey.admin) as client, asyncio.timeout(60):
        while any([await client.xlen(key) async for key in client.scan_iter("*:runnable")]):
            await asyncio.sleep(0.02)


async def test_stop(tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey) -> None:
    file = str(write_manifest(tmp_path / "bot.yaml", spec(telegram, model), secrets(telegram)))
    async with (
        program("gateway", "--manifest", file, store=valkey.url) as gateway,
        program("worker", "--manifest", file, store=valkey.url) as worker,
    ):
        await gateway.ready()
        await worker.ready()
        model.say(" ".join(f"zebra{n}" for n in range(1000)), tokens_per_second=10)
        await telegram.say(PERSON, PERSON, "Count zebras")
        await until(lambda: answers(telegram) and "zebra1" in answers(telegram)[0].text)
        await telegram.say(PERSON, PERSON, "!stop")
        await asyncio.wait_for(model.requests[0].ended.wait(), 10)
        assert model.requests[0].outcome == "aborted", "the connection to the model was closed"
        await until(lambda: answers(telegram)[0].text.endswith(ENDED))
        (message,) = answers(telegram)
        said = message.text.removesuffix(ENDED).rstrip()
        assert said.startswith("zebra0 zebra1")
        assert len(said.split()) <= model.requests[0].tokens_sent < 1000

        model.say("Next answer.")
        await telegram.say(PERSON, PERSON, "Go on?")
        await until(lambda: answers(telegram)[-1].text == "Next answer.")
        assert [m["content"] for m in model.requests[1].messages[1:]] == ["Count zebras", said, "Go on?"]
        assert answers(telegram)[0].text == message.text

        await _all_done(valkey)  # an answer that is there may not be noted as done yet, and could be stopped
        await telegram.say(PERSON, PERSON, "/stop")
        await until(lambda: answers(telegram)[-1].text == SAY("stop-nothing"))
        _, metrics = await worker.get("/metrics")
        assert 'gptbot_turns_total{bot="default/bot",outcome="cut_short",platform="telegram"} 1.0' in metrics
        _, metrics = await gateway.get("/metrics")
        assert 'outcome="stop",platform="telegram"} 1.0' in metrics
        assert "zebra" not in (worker.raw + gateway.raw).decode()


async def test_stop_before_the_first_word_and_in_code(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    settings = spec(telegram, model, gateway={"concurrency": 5})
    file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram)))
    async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
        await gateway.ready()
        model.say("never said", first_token_delay=4.5)
        await telegram.say(PERSON, PERSON, "Hello")
        await model.wait_requests(1)
        await telegram.say(PERSON, PERSON, "!stop")
        await until(lambda: [m.text for m in answers(telegram)] == [ENDED])
        assert model.requests[0].outcome == "aborted"

        model.say("Look:\n```python\n" + "".join(f"print({number})\n" for number in range(500)), tokens_per_second=20)
        await telegram.say(PERSON, PERSON, "Code please")
        await until(lambda: "print(0)\nprint(1)" in answers(telegram)[-1].text)
        await telegram.say(PERSON, PERSON, "!stop")
        await until(lambda: answers(telegram)[-1].text.endswith(ENDED))
        code = [entity for entity in answers(telegram)[-1].entities if entity["type"] == "pre"]
        assert len(code) == 1
        assert code[0]["offset"] + code[0]["length"] <= len(answers(telegram)[-1].text) - len(ENDED)
        contents = [m["content"] for m in model.requests[1].messages]
        assert contents[1:] == ["Code please"], "a question without a word of an answer is not kept"


async def test_an_answer_without_end_is_kept_and_says_so(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    settings = spec(telegram, model, gateway={"concurrency": 5})
    settings["llm"]["totalTimeoutSeconds"] = 2
    file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram)))
    async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
        await gateway.ready()
        model.say("".join(f"word{number} " for number in range(1000)), tokens_per_second=10)
        await telegram.say(PERSON, PERSON, "Hello")
        await until(lambda: answers(telegram) and answers(telegram)[0].text.endswith(SAY("cut-time").strip("*")))
        assert answers(telegram)[0].text.startswith("word0 word1 word2")
        assert len(model.requests) == 1
        assert gateway.said("an answer was cut short")
