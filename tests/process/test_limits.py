"""A flood over the wire: answered up to the limit, told once in the person's language, then silence."""

from __future__ import annotations

from pathlib import Path

from gptbot.locales import texts
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import Valkey, program, until, write_manifest
from tests.process.test_roles import answers

GROUP = -100200


async def test_a_flood_is_told_once_and_its_author_muted(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    for person, name in ((12, "Boris"), (13, "Vera")):
        await telegram.add_user(person, name, language_code="ru")
    await telegram.add_group(GROUP)
    settings = spec(
        telegram, model, gateway={"concurrency": 5}, context={"mergeBursts": False},
        limits={"perUser": {"messages": 2, "per": "1h"}, "mute": {"after": 1, "first": "5m"}},
    )  # fmt: skip
    file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram)))
    async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
        await gateway.ready()
        await telegram.say(12, 12, "first")
        await telegram.say(GROUP, 12, "@gptbot_test_bot second")
        await until(lambda: len(answers(telegram, 12)) == 1 and len(answers(telegram, GROUP)) == 1)
        for number in range(20):
            await telegram.say(12, 12, f"flood {number}")
        muted = texts("ru")("limit-mute", seconds=300)
        assert "5 минут " in muted
        await until(lambda: [m.text for m in answers(telegram, 12)][1:] == [muted])
        # Somebody else is answered, and by then all of the flood was dropped.
        await telegram.say(GROUP, 13, "@gptbot_test_bot and me?")
        await until(lambda: len(answers(telegram, GROUP)) == 2)
        assert [m.text for m in answers(telegram, 12)][1:] == [muted]
        assert len(model.requests) == 3
        _, metrics = await gateway.get("/metrics")
        assert 'gptbot_messages_limited_total{bot="default/bot",limit="mute",platform="telegram"} 20.0' in metrics
