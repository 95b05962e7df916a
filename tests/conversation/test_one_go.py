"""Several messages for one answer, edits, buttons and commands of others: over the wire, from both platforms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from gptbot.inbox.store import Store
from tests.conversation.test_groups import ADA, World, on_telegram, world
from tests.fakes.discord import FakeDiscord

ONE_GO: dict[str, Any] = {"context": {"debounce": 30}}
"""Long enough for whatever happens in a test to be one go."""
POST = {"type": "hidden_user", "date": 1, "sender_user_name": "Someone"}


@dataclass
class Chat:
    """A private chat with the bot, on some platform."""

    running: World
    say: Callable[[str], Awaitable[Any]]
    """Write a message; gives its id."""
    forward: Callable[[str], Awaitable[Any]] | None
    edit: Callable[[Any, str], Awaitable[Any]]
    press: Callable[[], Awaitable[Any]]
    """Press Regenerate below the last answer."""
    answers: Callable[[], Awaitable[list[str]]]

    async def answered(self, *texts: str) -> None:
        """Wait until these are the answers, whole, and nothing is left to be answered."""
        async with asyncio.timeout(30):
            while await self.answers() != list(texts) or await self.running.bot.mailbox.backlog():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def telegram_chat(store: Store) -> AsyncGenerator[Chat]:
    async with on_telegram(store, **ONE_GO) as (running, telegram):
        await telegram.add_user(4713, "Another", username="another_bot", is_bot=True)

        async def forward(text: str) -> Any:
            return await telegram.say(ADA, ADA, text, extra={"forward_origin": POST})

        async def edit(message: Any, text: str) -> None:
            await telegram.edit(ADA, message.id, text)

        async def press() -> None:
            shown = (await telegram.messages(ADA, from_bot=True))[-1]
            await telegram.press(ADA, ADA, shown.id, "!retry")

        async def answers() -> list[str]:
            return [message.text for message in await telegram.messages(ADA, from_bot=True)]

        yield Chat(running, lambda text: telegram.say(ADA, ADA, text), forward, edit, press, answers)


@asynccontextmanager
async def discord_chat(store: Store) -> AsyncGenerator[Chat]:
    async with FakeDiscord() as discord:
        helper = await discord.add_bot("Helper")
        ann = await discord.add_user("Ann")
        direct = await discord.open_dm(ann)
        settings = {"discord": {"tokenSecretRef": {"name": "bot", "key": "t"}, "apiBaseUrl": discord.url}}
        async with world(store, settings, {"t": helper["token"]}, **ONE_GO) as running:
            await discord.wait_for_connections()

            async def edit(message: Any, text: str) -> None:
                await discord.edit(direct, message, text)

            async def press() -> None:
                await discord.press(direct, ann, (await discord.answers(direct))[-1]["id"], "retry")

            async def answers() -> list[str]:
                return [message["content"] for message in await discord.answers(direct)]

            yield Chat(running, lambda text: discord.say(direct, ann, text), None, edit, press, answers)


@pytest.fixture(params=[telegram_chat, discord_chat], ids=["telegram", "discord"])
def opened(request: pytest.FixtureRequest, store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("gptbot.platforms.discord.limits.IDENTIFY_WINDOW", 0.2)
    return request.param(store)


async def test_what_is_sent_in_one_go_is_answered_once(opened: Any) -> None:
    async with opened as chat:
        model = chat.running.model
        model.say("too early", first_token_delay=60)
        model.say("Yes, all of it.")
        await chat.say("Is this true?")
        await model.wait_requests(1, 20)
        await (chat.forward or chat.say)("Water boils at 100 degrees.")
        await chat.answered("Yes, all of it.")
        assert len(model.requests) == 2
        asked = model.requests[1].asked
        assert asked.startswith("Is this true?")
        told = "[forwarded message]\n> Water boils at 100 degrees." if chat.forward else "Water boils at 100 degrees."
        assert asked.endswith(told)


async def test_an_edit_after_the_answer_is_what_is_remembered(opened: Any) -> None:
    async with opened as chat:
        model = chat.running.model
        model.say("Noted.")
        message = await chat.say("I live in Paris.")
        await chat.answered("Noted.")
        await chat.edit(message, "I live in Rome; ask ada@example.org.")
        model.say("In Rome.")
        await chat.say("Where do I live?")
        await chat.answered("Noted.", "In Rome.")
        assert [each["content"] for each in model.requests[-1].messages[1:]] == [
            "I live in Rome; ask [email].", "Noted.", "Where do I live?",
        ]  # fmt: skip


async def test_regenerate_pressed_twice_makes_one_answer_and_commands_of_others_none(opened: Any) -> None:
    async with opened as chat:
        model = chat.running.model
        for text in ("one", "anew", "last"):
            model.say(text)
        await chat.say("Count.")
        await chat.answered("one")
        await asyncio.gather(chat.press(), chat.press(), return_exceptions=True)  # the button may be gone already
        await chat.answered("one", "anew")
        await chat.say("!reset@another_bot")
        await chat.say("/help@another_bot")
        await chat.say("Go on.")
        await chat.answered("one", "anew", "last")
        assert [each["content"] for each in model.requests[-1].messages[1:]] == ["Count.", "anew", "Go on."]
        assert len(model.requests) == 3
