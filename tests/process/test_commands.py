"""Every command, in both languages, on Telegram and Discord over the wire: one process answers them all."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from fluent.syntax import FluentParser, ast

from gptbot import locales
from gptbot.conversation import commands
from gptbot.locales import languages
from tests.fakes.discord import FakeDiscord
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import Valkey, program, until, write_manifest

SAID = {
    "about": "about-owner-unknown",
    "act": "act-how",
    "continue": "continue-nothing",
    "forget": "forget-how",
    "help": "help-buttons",
    "language": "language-now-off",
    "persona": "persona-own",
    "ping": "ping-text",
    "privacy": "privacy-keeps",
    "reset": "reset-done",
    "retry": "retry-nothing",
    "settings": "settings-list",
    "start": "start-hello",
    "stop": "stop-nothing",
    "summary": "summary-nothing",
    "usage": "usage-start",
}
"""Command to a text that its reply to no argument has in it."""
WRONG = {
    "/persona nobody": "wrong-choice",
    "/summary whatever": "wrong-value",
    "/hlep": "command-unknown-near",
    "/summery": "command-unknown-near",
    "/help sumary": "command-unknown-near",
    "/help persona": "help-stores",
}
"""What people mistype to the answer."""
MANAGE_GUILD = 1 << 5


def beginning(language: str, name: str) -> str:
    """What a text begins with, as far as it has neither values nor commands in it, without the Markdown that platforms
    take out.
    """
    for path in sorted(Path(locales.__file__).parent.glob(f"*{language}.ftl")):
        for entry in FluentParser().parse(path.read_text()).body:
            if isinstance(entry, ast.Message) and entry.id.name == name and entry.value is not None:
                first = entry.value.elements[0]
                assert isinstance(first, ast.TextElement), name
                return plain(first.value.partition("`!")[0]).strip()
    raise LookupError(name)


def plain(text: str) -> str:
    return re.sub(r"[*`_\\]", "", text)


def speaks(text: str, language: str) -> bool:
    """Whether a text is in that language: by its letters, names of commands and languages apart."""
    cyrillic = len(re.findall("[а-яё]", re.sub(r"[!/]\w+|\(Русский\)", "", text.lower(), flags=re.IGNORECASE)))
    return cyrillic > 10 if language == "ru" else cyrillic == 0


@pytest.mark.parametrize("language", languages())
async def test_every_command_answers_in_the_language_of_who_asks(
    language: str, tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    assert SAID.keys() == commands.names()
    async with FakeDiscord() as discord:
        bot = await discord.add_bot()
        person, guild = await discord.add_user("Ada"), await discord.add_guild()
        await discord.give_role(guild, person, "boss", MANAGE_GUILD)
        channels = {name: await discord.add_channel(guild, name) for name in SAID}
        settings = spec(
            telegram, model, gateway={"concurrency": 50},
            limits={"perUser": {"messages": 100, "per": "1m"}, "perChat": {"messages": 100, "per": "1m"}},
        )  # fmt: skip
        settings["platforms"]["discord"] = {
            "tokenSecretRef": {"name": "bot", "key": "discord"}, "apiBaseUrl": discord.url,
        }  # fmt: skip
        asked = {f"/{name}": SAID[name] for name in SAID} | WRONG
        for name in ("help", "reset"):
            asked[f"!{commands.aliases(commands.command(name), language)[0].upper()}"] = SAID[name]
        asked["/settings"] = "command-groups-only"
        asked["/forget"] = "forget-how-private"
        people = {text: 100 + number for number, text in enumerate(asked)}
        for number in people.values():
            await telegram.add_user(number, "Ada", language_code=language)
        file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram) | {"discord": bot["token"]}))
        async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
            await gateway.ready()
            for platform in ("telegram", "discord"):
                await until(lambda: gateway.said("connected", platform=platform))  # noqa: B023
            await discord.wait_for(discord.commands, timeout=30)
            assert {command["name"] for command in await discord.commands()} == set(SAID)
            await asyncio.gather(*(telegram.say(number, number, text) for text, number in people.items()))
            for name, channel in channels.items():
                await discord.slash(channel, person, name, locale=language)

            def said(number: int) -> str:
                found = [m for m in telegram.world.chats[number].messages.values() if m.from_bot]
                return plain(found[-1].text) if found else ""

            for text, number in people.items():
                wanted = beginning(language, asked[text])
                try:
                    await until(lambda: wanted in said(number), 30)  # noqa: B023
                except TimeoutError:
                    pytest.fail(f"{text} was answered with {said(number)!r}, without {wanted!r}")
                assert speaks(said(number), language), said(number)
            for name, channel in channels.items():
                wanted = beginning(language, SAID[name])

                async def there() -> bool:
                    found = await discord.answers(channel)  # noqa: B023
                    return bool(found) and wanted in plain(found[-1]["content"])  # noqa: B023

                await discord.wait_for(there, timeout=30)
                assert speaks((await discord.answers(channel))[-1]["content"], language), name
            assert model.requests == [], "no model is asked for any of these"
