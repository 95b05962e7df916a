"""What people choose, over the wire: a role in plain words, a language, a group's settings; and forgetting it all."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.discord import FakeDiscord
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.keyboards import buttons
from tests.process.conftest import secrets, spec
from tests.process.program import Valkey, program, until, write_manifest
from tests.process.test_roles import answers

GROUP, BOSS, LEV = -100500, 21, 22
MANAGE_GUILD = 1 << 5


async def test_choices(tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey) -> None:
    async with FakeDiscord() as discord:
        bot = await discord.add_bot(message_content=True)
        person, guild = await discord.add_user("Ada"), await discord.add_guild()
        channel = await discord.add_channel(guild)
        await discord.give_role(guild, person, "boss", MANAGE_GUILD)
        settings = spec(telegram, model, gateway={"concurrency": 5})
        settings["platforms"]["discord"] = {
            "tokenSecretRef": {"name": "bot", "key": "discord"}, "apiBaseUrl": discord.url,
            "messageContentIntent": True,
        }  # fmt: skip
        file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram) | {"discord": bot["token"]}))
        for number in (BOSS, LEV):
            await telegram.add_user(number, "Lev", language_code="ru")
        await telegram.add_group(GROUP)
        await telegram.promote(GROUP, BOSS)

        async def told(text: str, chat: int = LEV) -> None:
            await until(lambda: any(text in message.text for message in answers(telegram, chat)[-1:]), 20)

        async def heard(text: str) -> None:
            async def there() -> bool:
                found = await discord.answers(channel)
                return bool(found) and text in found[-1]["content"]

            await discord.wait_for(there, timeout=30)

        async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
            await gateway.ready()
            for platform in ("telegram", "discord"):
                await until(lambda: gateway.said("connected", platform=platform))  # noqa: B023

            await telegram.say(LEV, LEV, "Ты теперь консультант в магазине бытовой техники")
            await told("Теперь моя роль здесь – «консультант в магазине бытовой техники».")
            confirmed = answers(telegram, LEV)[-1]
            model.say("Какую машину ищете?")
            await telegram.say(LEV, LEV, "Здравствуйте")
            await told("Какую машину ищете?")
            assert (
                "<role>\nконсультант в магазине бытовой техники\n</role>" in model.requests[-1].messages[0]["content"]
            )
            [way_back] = buttons(confirmed)
            await telegram.press(LEV, LEV, confirmed.id, way_back["callback_data"])
            await told("Моя роль снова обычная: Consultant.")
            await telegram.say(LEV, LEV, "!language en")
            await told("I speak English here from now on.")
            await telegram.say(LEV, LEV, "/forget me")
            await told("• 2 messages of the conversation")
            await telegram.say(LEV, LEV, "!ping")
            await told("Понг!")

            await telegram.say(GROUP, LEV, "/settings answer-in always")
            await told("могут использовать только администраторы", GROUP)
            await telegram.say(GROUP, BOSS, "/settings answer-in always")
            await told("Теперь я отвечаю в этом чате на каждое сообщение.", GROUP)

            await discord.say(channel, person, "From now on you are a pirate!", mention=True)
            await heard("I am **Pirate** now.")
            await discord.slash(channel, person, "settings", {"setting": "answer-in", "value": "always"})
            await heard("From now on I answer every message in this chat.")
            model.say("Arr!")
            await discord.say(channel, person, "Ahoy")
            await heard("Arr!")
            assert model.requests[-1].messages[0]["content"].startswith("You are a pirate.")
            await discord.slash(channel, person, "forget", {"what": "chat"})
            await heard("Done. Of this chat I have erased:\n• 2 messages of the conversation")
            assert await gateway.stop() == 0
            assert "консультант" not in gateway.raw.decode()
