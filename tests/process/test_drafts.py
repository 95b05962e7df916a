"""A draft the whole way: the answer grows in one, its Stop button ends the model's work, and a message remains."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import Valkey, program, until, write_manifest
from tests.process.test_roles import PERSON, answers


async def test_stop_below_a_draft(tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey) -> None:
    await telegram.set_bot_api(10, 3)
    settings = spec(telegram, model, gateway={"concurrency": 5})
    file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram)))
    async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
        await gateway.ready()
        model.say(" ".join(f"zebra{n}" for n in range(1000)), tokens_per_second=10)
        await telegram.say(PERSON, PERSON, "Count zebras")
        drafts = telegram.world.chat(PERSON).drafts
        await until(lambda: any("zebra1" in draft.text for draft in drafts))
        assert answers(telegram) == []
        await telegram.stop_draft(PERSON)
        await asyncio.wait_for(model.requests[0].ended.wait(), 10)
        assert model.requests[0].outcome == "aborted", "the connection to the model was closed"
        await until(lambda: bool(answers(telegram)))
        (message,) = answers(telegram)
        assert message.text.startswith("zebra0 zebra1")
        assert message.versions[-1].rich
        assert await telegram.draft(PERSON) is None

        model.say("Next answer.")
        await telegram.say(PERSON, PERSON, "Go on?")
        await until(lambda: answers(telegram)[-1].text == "Next answer.")
