"""Several pictures sent together are one question: with one answer, in the order sent, however they are delivered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.files.pictures import jpeg
from tests.process.conftest import secrets, spec
from tests.process.program import Valkey, program, until, write_manifest
from tests.process.test_roles import PERSON, answers

GROUP = -1001
BOT = "@gptbot_test_bot"


async def _pictures(telegram: FakeTelegram, album: str, count: int) -> list[dict[str, Any]]:
    """What the messages of an album carry; each picture is turned another way."""
    return [
        {
            "media_group_id": album,
            "photo": [
                await telegram.upload(f"{album}-{number}", jpeg(orientation=number + 2)) | {"width": 1, "height": 1}
            ],
        }
        for number in range(count)
    ]


def _turned(images: list[bytes]) -> list[int]:
    """Which way up pictures are, as Exif has it: the one tag that is left of it."""
    return [int.from_bytes(image[image.index(b"Exif\0\0MM") + 24 :][:2]) - 2 for image in images]


async def test_an_album_gets_one_answer(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    await telegram.add_group(GROUP)
    await telegram.set_privacy_mode(False)
    # As many messages as there are questions: the parts of an album do not count each.
    limits = {"perUser": {"messages": 5, "per": "10m"}}
    settings = spec(telegram, model, gateway={"concurrency": 5}, limits=limits)
    settings["llm"]["vision"] = True
    file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram)))
    async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
        await gateway.ready()
        await until(lambda: gateway.said("connected", platform="telegram"))

        # Each part in an update of its own, one of them twice, and a model that answers at once.
        model.say("Three views.", match="What are these?")
        first, second, third = await _pictures(telegram, "a", 3)
        await telegram.say(PERSON, PERSON, "What are these?", extra=first)
        await telegram.wait_for_confirmed()
        message, update = telegram.world.said(
            telegram.world.chat(PERSON), telegram.world.users[PERSON], "", topic=None, reply_to=None, entities=None,
            extra=second,
        )  # fmt: skip
        assert update is not None
        await telegram.redeliver(update)
        await telegram.wait_for_confirmed()
        await telegram.say(PERSON, PERSON, "", extra=third)
        await until(lambda: answers(telegram))
        assert len(model.requests) == 1
        assert model.requests[0].last_user_message == "What are these?\n\n[image]\n\n[image]\n\n[image]"
        assert _turned(model.requests[0].images) == [0, 1, 2]
        assert message.id < answers(telegram)[0].id

        # In a group only the caption names the bot, and it may be on the last: the others are meant as well.
        model.say("A pair.", match="and these?")
        one, two = await _pictures(telegram, "b", 2)
        await asyncio.gather(
            telegram.say(GROUP, PERSON, "", extra=one), telegram.say(GROUP, PERSON, f"{BOT} and these?", extra=two)
        )
        await until(lambda: answers(telegram, GROUP))
        assert _turned(model.requests[1].images) == [0, 1]
        model.say("Another.", match="and those?")
        one, two = await _pictures(telegram, "c", 2)
        await telegram.say(GROUP, PERSON, f"{BOT} and those?", extra=one)
        await telegram.wait_for_confirmed()
        await telegram.say(GROUP, PERSON, "", extra=two)
        await until(lambda: len(answers(telegram, GROUP)) == 2)
        assert _turned(model.requests[2].images) == [0, 1]

        # Nobody's album is passed over, and nothing of the others comes late.
        for question, answer in (("Well?", "Well."), ("Then?", "Then.")):
            model.say(answer, match=question)
            await telegram.say(PERSON, PERSON, question)
            await until(lambda: answers(telegram)[-1].text == answer)  # noqa: B023
        assert [each.text for each in answers(telegram)] == ["Three views.", "Well.", "Then."]
        assert [each.text for each in answers(telegram, GROUP)] == ["A pair.", "Another."]
        assert len(model.requests) == 5
        assert await gateway.stop() == 0
