"""Whatever the model does, the person gets one honest sentence, the log the reason, and then the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gptbot.locales import texts
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.state import Message
from tests.process.conftest import secrets, spec
from tests.process.program import Valkey, program, until, write_manifest
from tests.process.test_roles import answers

SAY = texts("en")

PASSING: list[tuple[str, dict[str, Any], str]] = [
    ("server_error", {"times": 3}, "overloaded"),
    ("rate_limited", {"times": 3, "retry_after": 0.1}, "overloaded"),
    ("drop", {"times": 3}, "unreachable"),
    ("quota", {}, "quota"),
    ("unauthorized", {}, "unauthorized"),
    ("reset", {}, "bad_stream"),
    ("broken", {}, "bad_stream"),
    ("stall", {}, "timeout"),
]


def ended(telegram: FakeTelegram, person: int, text: str) -> list[Message]:
    """The answers to a person, once the last is that text."""
    found = answers(telegram, person)
    return found if found and found[-1].text == text else []


async def test_every_trouble(tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey) -> None:
    settings = spec(telegram, model, gateway={"concurrency": 50}, limits={"perUser": {"messages": 1000}})
    settings["llm"] |= {"timeoutSeconds": 2, "stallSeconds": 2}
    file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram)))
    async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
        await gateway.ready()
        for number, (fault, script, _) in enumerate(PASSING):
            person = 100 + number
            await telegram.add_user(person, "P", language_code="en")
            model.fail(fault, text="some words that come before it breaks", match=f"q{number}.", **script)  # type: ignore[arg-type]
            model.say(f"answer {number}", match=f"q{number}.")
            await telegram.say(person, person, f"zebra q{number}.")
        for number, (fault, _, kind) in enumerate(PASSING):
            person = 100 + number
            (message,) = await until(lambda: ended(telegram, person, f"answer {number}"), 60)  # noqa: B023
            shown = [version.text for version in message.versions]
            assert SAY(f"trouble-{kind}") in shown, f"{fault}: {shown}"
            assert gateway.said("the model gave no answer", kind=kind), fault
        # What another try would only repeat is said once.
        await telegram.add_user(300, "P", language_code="ru")
        model.fail("refused")
        await telegram.say(300, 300, "zebra")
        await until(lambda: [m.text for m in answers(telegram, 300)] == [texts("ru")("trouble-refused")])
        assert "zebra" not in gateway.raw.decode()


async def test_fallbacks_answer_before_anybody_is_told(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    async with FakeOpenAI() as other:
        settings = spec(telegram, model, gateway={"concurrency": 5})
        settings["llm"]["fallbacks"] = [{"baseUrl": other.base_url, "model": "other"}]
        file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram)))
        async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
            await gateway.ready()
            model.fail("quota")
            other.say("from the second")
            await telegram.say(11, 11, "question")
            await until(lambda: [m.text for m in answers(telegram)] == ["from the second"])
            assert answers(telegram)[0].edits == 0


@pytest.mark.parametrize("fault", ["no_done", "json"])
async def test_odd_but_whole_answers_count(
    fault: Any, tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    file = str(
        write_manifest(tmp_path / "b.yaml", spec(telegram, model, gateway={"concurrency": 5}), secrets(telegram))
    )
    async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
        await gateway.ready()
        model.fail(fault, text="whole")
        await telegram.say(11, 11, "question")
        await until(lambda: [m.text for m in answers(telegram)] == ["whole"])
