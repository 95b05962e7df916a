"""Files the whole way on two platforms: a model that sees, one that listens, texts, and what cannot be read."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from gptbot.locales import texts
from tests.fakes.discord import FakeDiscord
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.files.pictures import SECRET, jpeg, png
from tests.process.conftest import secrets, spec
from tests.process.program import Valkey, program, until, write_manifest
from tests.process.test_roles import PERSON, answers

NAME = "Ada Lovelace at home"
CODE = "# mail me at ada@example.org\nprint('hello')\n"


async def test_files_on_both_platforms(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    async with FakeDiscord() as discord:
        bot = await discord.add_bot()
        person = await discord.add_user("Ada")
        channel = await discord.add_channel(await discord.add_guild())
        settings = spec(telegram, model, gateway={"concurrency": 5})
        settings["platforms"]["discord"] = {
            "tokenSecretRef": {"name": "bot", "key": "discord"}, "apiBaseUrl": discord.url,
        }  # fmt: skip
        settings["llm"] |= {
            "vision": True,
            "transcription": {
                "baseUrl": model.base_url, "model": "ear", "apiKeySecretRef": {"name": "bot", "key": "model"}
            },
        }  # fmt: skip
        file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram) | {"discord": bot["token"]}))
        async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
            await gateway.ready()
            for platform in ("telegram", "discord"):
                await until(lambda: gateway.said("connected", platform=platform))  # noqa: B023

            async def tell(text: str, extra: dict[str, Any], answer: str) -> None:
                """A person says it on Telegram, and gets that answer."""
                await telegram.say(PERSON, PERSON, text, extra=extra)
                await until(lambda: bool(answers(telegram)) and answers(telegram)[-1].text == answer)

            # An image, and the question after it: shown once, and nothing but the picture.
            model.say("A red pixel.", match="What is this?")
            photo = await telegram.upload("p1", jpeg(orientation=6)) | {"width": 1, "height": 1}
            await tell("What is this?", {"photo": [photo]}, "A red pixel.")
            [shown] = model.requests[-1].images
            assert shown.startswith(b"\xff\xd8")
            assert SECRET not in shown
            assert model.requests[-1].last_user_message == "What is this?\n\n[image]"
            model.say("Red.", match="colour")
            await tell("Which colour?", {}, "Red.")
            assert model.requests[-1].images == []
            assert [message["content"] for message in model.requests[-1].messages[1:]] == [
                "What is this?\n\n[image]", "A red pixel.", "Which colour?",
            ]  # fmt: skip

            # A recording, answered as if it had been typed.
            model.ear.says = "Call me at +7 912 345-67-89, what is the time?"
            model.say("Noon.", match="what is the time?")
            voice = await telegram.upload("v1", b"OggS and a voice") | {"duration": 3, "mime_type": "audio/ogg"}
            await tell("", {"voice": voice}, "Noon.")
            assert model.requests[-1].last_user_message == "Call me at [phone], what is the time?"
            [recording] = model.ear.recordings
            assert (recording.name, recording.content, recording.model) == ("audio.ogg", b"OggS and a voice", "ear")

            # What cannot be read is told without a word to the model.
            asked = len(model.requests)
            film = await telegram.upload("f1", b"film") | {"width": 1, "height": 1, "duration": 3}
            can = "text and code files, images, voice messages"
            await tell("", {"video": film}, f"I cannot open that kind of file. What I can read: {can}.")
            broken = await telegram.upload("b1", b"\x7fELF\x02\0\0\1") | {"file_name": f"{NAME}.txt"}
            await tell("", {"document": broken}, texts("en")("file-broken", can=can))
            large = broken | {"file_size": 2_000_000}
            await tell("", {"document": large}, texts("en")("file-large", text=1, image=5, audio=20, minutes=15))
            assert len(model.requests) == asked
            model.say("Nice.", match="Look at this")
            await tell("Look at this", {"video": film}, f"Nice.\n\n{texts('en')('file-kind', can=can)}")

            # On Discord: a text and an image with one message.
            model.say("It says hello.", match="[file: python]")
            files = [(f"{NAME}.py", "text/x-python", CODE.encode("utf-16")), (f"{NAME}.png", "image/png", png())]
            await discord.say(channel, person, "What does it do?", mention=True, files=files)
            await discord.wait_for_answers(channel, 1, timeout=60)
            assert model.requests[-1].last_user_message.endswith(
                "What does it do?\n\n  [file: python]\n  ```python\n  # mail me at [email]\n  print('hello')\n  ```\n\n"
                "  [image]"
            )
            [shown] = model.requests[-1].images
            assert SECRET not in shown
            assert await gateway.stop() == 0
            for secret in (NAME.encode(), SECRET, base64.b64encode(SECRET)[:20], b"912 345", telegram.token.encode()):
                assert secret not in bytes(gateway.raw)
