"""One bot on Telegram, Discord and the web page at once: one process, one store, one model, three chats."""

from __future__ import annotations

import re
from pathlib import Path

from tests.fakes.discord import FakeDiscord
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import Valkey, program, until, write_manifest
from tests.process.test_roles import answered, answers


async def test_one_bot_everywhere(tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey) -> None:
    async with FakeDiscord() as discord:
        bot = await discord.add_bot()
        person = await discord.add_user("Ada")
        guild = await discord.add_guild()
        channel = await discord.add_channel(guild)
        settings = spec(telegram, model, gateway={"concurrency": 5})
        settings["platforms"] |= {
            "discord": {"tokenSecretRef": {"name": "bot", "key": "discord"}, "apiBaseUrl": discord.url},
            "web": {},
        }
        file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram) | {"discord": bot["token"]}))
        async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
            await gateway.ready()
            for platform in ("telegram", "discord", "web"):
                await until(lambda: gateway.said("connected", platform=platform))  # noqa: B023
            model.say("Hello Telegram.", match="from telegram")
            model.say("Hello Discord.", match="from discord")
            await telegram.say(11, 11, "from telegram")
            await discord.say(channel, person, "from discord", mention=True)
            await until(answered(telegram, "Hello Telegram."))
            (answer,) = await discord.wait_for_answers(channel, 1, timeout=30)
            assert answer["content"] == "Hello Discord."
            asked = sorted(tuple(m["content"] for m in r.messages[1:]) for r in model.requests)
            assert asked[0] == ("from telegram",), "conversations do not mix"
            assert re.fullmatch(r"user-\w+: from discord", *asked[1]), "in a group, people have pseudonyms"
            assert len(asked) == 2
            await discord.slash(channel, person, "help")

            async def helped() -> bool:
                return "reset" in (await discord.answers(channel))[-1]["content"]

            await discord.wait_for(helped, timeout=30)
            await telegram.say(11, 11, "!help")
            await until(lambda: len(answers(telegram)) == 2)
            scopes = [await telegram.commands(scope) for scope in ("all_private_chats", "all_chat_administrators")]
            menu = {command["command"] for scope in scopes for command in scope}
            assert {c["name"] for c in await discord.commands()} == menu
            assert await gateway.stop() == 0
