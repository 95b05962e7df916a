"""Gateway and workers as processes of their own, from a message on the platform to the answer in the chat."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from gptbot_api.store_faults import UNREACHABLE
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.state import Message
from tests.process.conftest import MODEL_KEY, secrets, spec
from tests.process.program import PASSWORD, PEPPER, Program, Valkey, program, until, write_manifest

PERSON = 11


def answers(telegram: FakeTelegram, chat: int = PERSON) -> list[Message]:
    return [message for message in telegram.world.chats[chat].messages.values() if message.from_bot]


def answered(telegram: FakeTelegram, *texts: str) -> Callable[[], bool]:
    return lambda: [message.text for message in answers(telegram)] == list(texts)


async def test_a_conversation(tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey) -> None:
    file = str(write_manifest(tmp_path / "bot.yaml", spec(telegram, model), secrets(telegram)))
    async with (
        program("gateway", "--manifest", file, store=valkey.url) as gateway,
        program("worker", "--manifest", file, store=valkey.url) as worker,
    ):
        await gateway.ready()
        await worker.ready()
        words = "Take the quiet one with the large drum, it washes well and lasts long."
        model.say(words, tokens_per_second=10)
        await telegram.say(PERSON, PERSON, "Which washing machine? Mail me at ada@example.org")
        await until(answered(telegram, words))
        (message,) = answers(telegram)
        assert message.edits >= 1, "it was shown while it grew"
        assert any(call.method == "sendChatAction" for call in telegram.history)
        first = model.requests[0].messages
        assert first[0] == {"role": "system", "content": "You are a consultant."}
        assert first[1] == {"role": "user", "content": "Which washing machine? Mail me at [email]"}

        model.say("Because of its bearings.")
        await telegram.say(PERSON, PERSON, "Why?")
        await until(answered(telegram, words, "Because of its bearings."))
        assert [m["content"] for m in model.requests[1].messages[1:]] == [first[1]["content"], words, "Why?"]

        await telegram.say(PERSON, PERSON, "/persona pirate")
        await until(lambda: len(answers(telegram)) == 3)
        await telegram.say(PERSON, PERSON, "!reset")
        await until(lambda: len(answers(telegram)) == 4)
        await telegram.say(PERSON, PERSON, "!persona pirate")
        await until(lambda: len(answers(telegram)) == 5)
        model.say("Arr.")
        await telegram.say(PERSON, PERSON, "Hello")
        await until(lambda: answers(telegram)[-1].text == "Arr.")
        assert [m["content"] for m in model.requests[2].messages] == ["You are a pirate.", "Hello"]
        await telegram.say(PERSON, PERSON, "!help")
        await until(lambda: len(answers(telegram)) == 7)
        for name in ("help", "about", "persona", "reset"):
            assert f"/{name}" in answers(telegram)[-1].text

        counted = 'gptbot_turns_total{bot="default/bot",outcome="answered",platform="telegram"} 7.0'
        async with asyncio.timeout(30):  # a turn ends in the store after its answer is seen
            while counted not in (await worker.get("/metrics"))[1]:
                await asyncio.sleep(0.05)
        assert "gptbot_messages_received_total" in (await gateway.get("/metrics"))[1]
        assert await gateway.stop() == 0
        assert await worker.stop() == 0
        for process in (gateway, worker):
            tell_tales_nothing(process, telegram)


def tell_tales_nothing(process: Program, telegram: FakeTelegram) -> None:
    log = process.raw.decode()
    ids = (f'"{PERSON}"', f": {PERSON},")
    for secret in (telegram.token, MODEL_KEY, PASSWORD, PEPPER, "ada@", "washing", "bearings", *ids):
        assert secret not in log


async def test_a_killed_workers_answer_is_finished_by_another_in_the_same_message(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    file = str(write_manifest(tmp_path / "bot.yaml", spec(telegram, model), secrets(telegram)))
    async with (
        program("gateway", "--manifest", file, store=valkey.url) as gateway,
        program("worker", "--manifest", file, store=valkey.url) as first,
    ):
        await gateway.ready()
        await first.ready()
        model.say("One two three four five six seven eight nine ten.", tokens_per_second=2)
        await telegram.say(PERSON, PERSON, "Count")
        # An edit: the id of the message is noted. A kill right after the send would leave its outcome unknown.
        await until(lambda: [message.edits > 0 for message in answers(telegram)] == [True])
        await first.stop(signal.SIGKILL)
        async with program("worker", "--manifest", file, store=valkey.url) as second:
            model.say("One to ten.")
            await until(answered(telegram, "One to ten."), timeout=60)
            assert await second.stop() == 0


async def test_sigterm_lets_the_answer_end(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    file = str(write_manifest(tmp_path / "bot.yaml", spec(telegram, model), secrets(telegram)))
    async with (
        program("gateway", "--manifest", file, store=valkey.url) as gateway,
        program("worker", "--manifest", file, store=valkey.url) as worker,
    ):
        await gateway.ready()
        await worker.ready()
        model.say("a b c d e f g h i j", tokens_per_second=4)
        await telegram.say(PERSON, PERSON, "Letters")
        await until(lambda: len(answers(telegram)) == 1)
        assert await worker.stop() == 0
        assert answers(telegram)[0].text == "a b c d e f g h i j"


async def test_the_store_goes_away_and_comes_back(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    file = str(
        write_manifest(tmp_path / "bot.yaml", spec(telegram, model, context={"mergeBursts": False}), secrets(telegram))
    )
    async with (
        program("gateway", "--manifest", file, store=valkey.url) as gateway,
        program("worker", "--manifest", file, store=valkey.url) as worker,
    ):
        await gateway.ready()
        await worker.ready()
        model.say("before")
        await telegram.say(PERSON, PERSON, "one")
        await until(answered(telegram, "before"))
        await valkey.stop()
        await telegram.say(PERSON, PERSON, "two")
        await telegram.say(PERSON, PERSON, "three")
        await until(lambda: worker.said("cannot claim"))
        await until(lambda: worker.said("the store is not usable", reason=str(UNREACHABLE)))
        assert (await worker.get("/readyz"))[0] == 503
        assert "gptbot_store_up 0.0" in (await worker.get("/metrics"))[1]
        assert (await worker.get("/livez"))[0] == 200
        model.say("second")
        model.say("third")
        await valkey.start()
        await until(answered(telegram, "before", "second", "third"), timeout=60)
        assert [r.last_user_message for r in model.requests] == ["one", "two", "three"]


async def test_a_wrong_store_password_is_said_and_the_store_waited_for(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    file = str(write_manifest(tmp_path / "bot.yaml", spec(telegram, model), secrets(telegram)))
    async with program("worker", "--manifest", file, store=valkey.url.replace(PASSWORD, "nonsense")) as worker:
        line = await until(lambda: worker.said("the store is not usable"))
        assert "refuses the password" in line["reason"]
        assert (await worker.get("/readyz"))[0] == 503
        assert "nonsense" not in worker.raw.decode()
        assert await worker.stop() == 0


async def test_a_refused_token_is_reported_and_the_rest_runs(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    bad = spec(telegram, model) | {"gateway": {"concurrency": 5}}
    bad["platforms"] = bad["platforms"] | {"web": {}}
    file = str(write_manifest(tmp_path / "bot.yaml", bad, {**secrets(telegram), "telegram": "1:wrong"}))
    async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
        await gateway.ready()
        line = await until(lambda: gateway.said("not connected", platform="telegram"))
        assert "token" in line["reason"]
        assert "wrong" not in gateway.raw.decode()
        assert gateway.said("connected", platform="web")
        assert gateway.process.returncode is None
