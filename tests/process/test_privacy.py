"""People talk to a bot everywhere; then nothing of them is in its store, its model's requests, its log or metrics."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from gptbot.inbox.store import Store
from tests.fakes.discord import FakeDiscord
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai.script import Script
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.keyboards import buttons
from tests.ports import free_port
from tests.process.conftest import secrets, spec
from tests.process.program import Program, Valkey, program, until, write_manifest
from tests.process.residue import Kept, Traces, dump, kind

ADA, BOB, GROUP, ELSEWHERE = 7312345981, 7398761234, -1009876501234, -1009876509876
PLANTED = {
    "a Telegram user": str(ADA),
    "another Telegram user": str(BOB),
    "a Telegram group": str(GROUP),
    "another Telegram group": str(ELSEWHERE),
    "a Telegram message": "734561",
    "a first name": "Zebulonia",
    "a user name": "zebu_quartz77",
    "another first name": "Quentinella",
    "another user name": "quenti_opal42",
    "a group's title": "Gildenhalle Nordost",
    "a Discord name": "Marzipanus",
    "another Discord name": "Wolkenfurt",
    "a guild's name": "Thornwickgilde",
    "a channel's name": "heimlichkanal",
    "a browser": "NeedleBrowser",
    "an e-mail": "zebulonia.quartz@example.org",
    "a phone": "916 123-45-67",
    "digits of a phone": "1234567",
    "a card": "4111 1111 1111 1111",
    "a passport": "343003",
    "a tax number": "500100732259",
    "a password": "Xk9!vortex77",
    "an API key": "sk-proj-abcdefghijklmnop0123456789",
    "an IP address": "203.0.113.77",
}
DATA = (
    "Mail zebulonia.quartz@example.org or call 8 916 123-45-67, card 4111 1111 1111 1111, паспорт 45 11 343003, "
    "ИНН 500100732259, password: Xk9!vortex77, key sk-proj-abcdefghijklmnop0123456789 from 203.0.113.77"
)
FOREVER = {
    r"runnable": "conversations in line, by pseudonym; empty once all is answered",
    r"line": "where conversations stand, by pseudonym; empty but for its counter",
    r"owner": "fencing tokens of turns, by pseudonym; empty but for its counter",
    r"p:telegram:offset": "the number of the last update, of the bot and no person",
    r"p:discord:holding:\d+": "how often a shard was taken over",
}
"""Keys without a time to live, and why that is no trace of anybody."""

CONTENT = r"ctx:|sum:|set:|heard:|words:|dead|p:web:session:|p:discord:places"
"""Keys that hold what was said or chosen, or where."""
RETENTION = 2 * 3600
LEFT = {
    r"rate:(edits-)?(user|chat):.+": "counts for a limit of the bot",
    r"told:.+": "marks that a limit was told",
    r"floods:.+": "refusals of late",
    r"p:web:session:.+": "the page, with the answer that says what was erased",
}
"""Keys with somebody's pseudonym that outlast being forgotten, and why."""


@dataclass
class World:
    """A bot on three platforms, and what was found out about the people who talk to it."""

    telegram: FakeTelegram
    discord: FakeDiscord
    model: FakeOpenAI
    gateway: Program
    store: Store
    page: str
    http: aiohttp.ClientSession
    channel: str = ""
    nearby: str = ""
    """Another channel."""
    person: str = ""
    other: str = ""
    dm: str = ""
    session: tuple[str, str] = ("", "")
    """The page's conversation, and its cookie."""
    traces: dict[str, str] = field(default_factory=lambda: dict(PLANTED))

    async def quiet(self) -> list[Kept]:
        """Wait until nothing waits for an answer; what the store holds then."""
        while True:
            kept = await dump(self.store)
            waiting = [each for each in kept if re.match(r"mail:|turn:|later|waiting", kind(each.key))]
            running = [
                each for each in kept if kind(each.key) == "runnable" and await self.store.command("XLEN", each.key)
            ]
            if not waiting and not running:
                return await dump(self.store)  # what was read before may have been on its way out

    async def traces_of_anybody(self, kept: list[Kept]) -> str:
        """What is found of people in the store, the model's requests, the log and the metrics, a line each."""
        traces = Traces(self.traces)
        found = list(traces.in_store(kept))
        metrics = (await self.gateway.get("/metrics"))[1].encode()
        requests = [orjson.dumps(request.body) for request in self.model.requests]
        for where, texts in (("requests", requests), ("log", self.gateway.raw.splitlines()), ("metrics", [metrics])):
            assert all(texts), f"there are {where}"
            found += [trace for text in texts for trace in traces.within(text, f"the {where}: {text[:300]!r}")]
        return "\n".join(sorted({str(trace) for trace in found}))

    async def on_telegram(self) -> None:
        """In private and in groups: questions, a reply, mentions, an edit, commands, a button."""
        telegram = self.telegram
        self.model.say("Answer one.", match="in private")
        question = await telegram.say(ADA, ADA, f"in private: {DATA}")
        await self.told(ADA, "Answer one.")
        await telegram.edit(ADA, question.id, f"in private, better: {DATA}")
        for command in ("!help", "/persona pirate", "!language", "!ping"):
            await telegram.say(ADA, ADA, command)
        said = await telegram.say(GROUP, BOB, f"Look, {DATA}")
        name = telegram.world.me.username
        self.model.say("Answer two.", match="and this")
        text = f"@{name} and this, @quenti_opal42 and Quentinella?"
        marked: list[dict[str, Any]] = [
            {"type": "mention", "offset": 0, "length": len(f"@{name}")},
            {"type": "mention", "offset": text.index("@quenti"), "length": len("@quenti_opal42")},
            {"type": "text_mention", "offset": text.index("Quentinella"), "length": len("Quentinella"),
             "user": telegram.world.users[BOB].api()},
        ]  # fmt: skip
        await telegram.say(GROUP, ADA, text, reply_to=said.id, entities=marked)
        await self.told(GROUP, "Answer two.")
        self.model.say("Answer three.", match="again")
        await telegram.say(GROUP, BOB, f"@{name} again: {DATA}")
        await self.told(GROUP, "Answer three.")
        self.model.say("Answer eight.", match="elsewhere")
        await telegram.say(ELSEWHERE, ADA, f"@{name} elsewhere: {DATA}")
        await self.told(ELSEWHERE, "Answer eight.")
        await telegram.say(GROUP, BOB, f"/persona@{name}")
        await until(lambda: any(buttons(message) for message in telegram.world.chat(GROUP).messages.values()))
        shown = next(m for m in telegram.world.chat(GROUP).messages.values() if m.from_bot and buttons(m))
        await telegram.press(GROUP, BOB, shown.id, buttons(shown)[0]["callback_data"])

    async def in_trouble(self) -> None:
        """Platforms and model refuse, with words that name people: errors must not be quoted."""
        words = f"Forbidden: bot can't write to Zebulonia zebu_quartz77 in {GROUP}: {DATA}"
        body = {"ok": False, "error_code": 403, "description": words}
        await self.telegram.inject("sendMessage", "answer", status=403, body=body, chat_id=GROUP)
        await self.telegram.say(GROUP, BOB, f"@{self.telegram.world.me.username} refused by the platform: {DATA}")
        await self.discord.fail(
            "create_message",
            status=403,
            body={"code": 50013, "message": f"{words} {self.channel}"},
            channel=self.channel,
        )
        await self.discord.say(self.channel, self.other, f"refused as well: {DATA}", mention=True)
        self.model.scripts.append(Script(match="refused by the model", fault="refused"))
        message = await self.telegram.say(ADA, ADA, f"refused by the model: {DATA}")
        await self.telegram.wait_for_messages(ADA, after=message.id, timeout=60)
        for name in ("telegram", "discord"):
            await until(lambda: self.gateway.said("a platform refuses a reply", platform=name))  # noqa: B023

    async def forget(self) -> None:
        """Everybody asks to be forgotten, once: in one of the chats in which they wrote."""
        name = self.telegram.world.me.username
        for person in (ADA, BOB):
            last = max(self.telegram.world.chat(GROUP).messages)
            await self.telegram.say(GROUP, person, f"/forget@{name} me")
            await self.telegram.wait_for_messages(GROUP, after=last, timeout=60)
        for channel, person in ((self.channel, self.other), (self.dm, self.person)):
            before = len(await self.discord.answers(channel))
            await self.discord.say(channel, person, "!forget me", mention=channel == self.channel)
            await self.discord.wait_for_answers(channel, before + 1, timeout=60)
        await self.post("!forget me")

    async def told(self, chat: int, text: str) -> None:
        """Wait for an answer on Telegram."""
        await self.telegram.wait_for_messages(chat, contains=text, timeout=60)

    async def on_discord(self) -> None:
        """In channels and in direct messages: questions, a reply, mentions, an edit, slash commands."""
        discord, channel = self.discord, self.channel
        said = await discord.say(channel, self.other, f"Look, {DATA}")
        self.model.say("Answer four.", match="what of")
        asked = await discord.say(channel, self.person, f"what of <@{self.other}>: {DATA}", mention=True, reply_to=said)
        await discord.wait_for_answers(channel, 1, timeout=60)
        await discord.edit(channel, asked, f"what of <@{self.other}>, better: {DATA}")
        self.model.say("Answer five.", match="directly")
        message = await discord.say(self.dm, self.person, f"directly: {DATA}")
        await discord.wait_for_answers(self.dm, 1, timeout=60)
        self.model.say("Answer nine.", match="nearby")
        await discord.say(self.nearby, self.person, f"nearby: {DATA}", mention=True)
        await discord.wait_for_answers(self.nearby, 1, timeout=60)
        await discord.slash(channel, self.person, "help")
        await discord.slash(channel, self.other, "persona")
        await discord.wait_for_answers(channel, 3, timeout=60)
        self.traces |= {"a Discord message": asked, "a direct message": message, "a reply": said}

    async def on_the_page(self) -> None:
        """A question and a command; the cookie is what opens the conversation."""
        headers = {"User-Agent": "NeedleBrowser/77", "Accept": "application/json"}
        async with self.http.get(self.page, headers=headers) as answer:
            found = re.search(r'name="conversation" value="([^"]+)"', await answer.text())
            assert found
            cookie = next(iter(answer.cookies.values()))
        self.traces["a web session"] = cookie.value.partition(".")[0]
        self.session = found[1], f"{cookie.key}={cookie.value}"
        self.model.say("Answer six.", match="on the page")
        for text in (f"on the page: {DATA}", "!help", "!persona pirate"):
            await self.post(text)

    async def post(self, text: str) -> None:
        """Write on the page."""
        conversation, cookie = self.session
        headers = {"User-Agent": "NeedleBrowser/77", "Accept": "application/json", "Cookie": cookie}
        form = {"id": uuid.uuid4().hex, "conversation": conversation, "text": text}
        async with self.http.post(f"{self.page}message", data=form, headers=headers) as answer:
            assert (await answer.json())["accepted"]


@asynccontextmanager
async def world(directory: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey) -> AsyncGenerator[World]:
    """Start everything and wait until the bot is connected."""
    await telegram.add_user(ADA, "Zebulonia", username="zebu_quartz77", language_code="en")
    await telegram.add_user(BOB, "Quentinella", username="quenti_opal42", language_code="ru")
    (await telegram.add_group(GROUP, "Gildenhalle Nordost")).last_id = 734561000
    await telegram.add_group(ELSEWHERE, "Gildenhalle Nordost")
    await telegram.set_privacy_mode(False)
    async with FakeDiscord() as discord:
        bot = await discord.add_bot(message_content=True)
        person, other = await discord.add_user("Marzipanus"), await discord.add_user("Wolkenfurt")
        guild = await discord.add_guild("Thornwickgilde")
        channel, nearby = [await discord.add_channel(guild, "heimlichkanal") for _ in range(2)]
        settings = spec(telegram, model, gateway={"concurrency": 5}, privacy={"retention": "2h"})
        settings["platforms"] |= {
            "discord": {
                "tokenSecretRef": {"name": "bot", "key": "discord"}, "apiBaseUrl": discord.url,
                "messageContentIntent": True,
            },
            "web": {},
        }  # fmt: skip
        file = str(write_manifest(directory / "bot.yaml", settings, secrets(telegram) | {"discord": bot["token"]}))
        port = free_port()
        env = {"GPTBOT_LOG_LEVEL": "debug", "GPTBOT_HTTP_PORT": str(port)}
        async with (
            program("gateway", "--manifest", file, store=valkey.url, env=env) as gateway,
            Store.connect(valkey.admin) as store,
            aiohttp.ClientSession() as http,
        ):
            await gateway.ready()
            for platform in ("telegram", "discord", "web"):
                await until(lambda: gateway.said("connected", platform=platform), 20)  # noqa: B023
            scene = World(telegram, discord, model, gateway, store, f"http://127.0.0.1:{port}/", http,
                          channel, nearby, person, other, await discord.open_dm(person))  # fmt: skip
            scene.traces |= {
                "a Discord user": person, "another Discord user": other, "a channel": channel, "a guild": guild,
                "another channel": nearby, "direct messages": scene.dm,
            }  # fmt: skip
            yield scene


async def test_nothing_of_anybody_is_left(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    async with world(tmp_path, telegram, model, valkey) as scene:
        await scene.on_telegram()
        await scene.on_discord()
        await scene.on_the_page()
        kept = await scene.quiet()
        assert len(model.requests) == 9, [request.last_user_message for request in model.requests]
        assert any(each.holds("[email]") for each in kept if "ctx:" in each.key)
        assert not await scene.traces_of_anybody(kept)

        forever = [kind(each.key) for each in kept if each.ttl is None]
        assert not [key for key in forever if not any(re.fullmatch(pattern, key) for pattern in FOREVER)]
        words = [each for each in kept if re.match(CONTENT, kind(each.key))]
        assert {kind(each.key).partition(":")[0] for each in words} >= {"ctx", "set", "p"}
        assert not [each.key for each in words if each.ttl is None or each.ttl > RETENTION]

        await scene.in_trouble()
        kept = await scene.quiet()
        letters = [each for each in kept if kind(each.key) == "dead"]
        assert letters, "they hold where their answers would have gone, for somebody to try again"
        assert not await scene.traces_of_anybody([each for each in kept if each not in letters])

        people = {found[1] for each in kept if (found := re.match(r"(?:ctx|set|tokens):(.+)", kind(each.key)))}
        assert len(people) >= 10, "seven conversations, four people and a visitor"
        await scene.forget()
        kept = await scene.quiet()
        here = {kind(each.key) for each in kept if any(each.holds(person) for person in people)}
        assert not [key for key in here if not any(re.fullmatch(pattern, key) for pattern in LEFT)]
        assert not any(each.holds("[email]") for each in kept), "no question is left anywhere"
        assert not await scene.traces_of_anybody(kept)
