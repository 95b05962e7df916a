"""The gateway's door on a real Valkey: who is heard, what is stored of it."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot.conversation import commands
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.intake import BotIntake, parse_command
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.manifest import BotConfig
from gptbot.platforms.base import Inbound
from gptbot.safety.limits import Limits
from gptbot_api import parse


class Door:
    """An intake and what lies behind it."""

    def __init__(self, store: Store, keys: BotKeys, **spec: Any) -> None:
        document = {
            "apiVersion": "gptbot.dev/v1alpha1",
            "kind": "GptBot",
            "metadata": {"name": "bot"},
            "spec": {"platforms": {"web": {}}, "llm": {"embedded": {}}, **spec},
        }
        self.config = BotConfig(parse(document))
        self.keys, self.store = keys, store
        self.mailbox = Mailbox(store, keys, "w")
        limits = Limits(store, keys, lambda: self.config.bot.spec.limits)
        self.intake = BotIntake(lambda: self.config, "web", self.mailbox, limits, commands.names())
        self.number = 0

    async def say(self, text: str, **changes: Any) -> bool:
        self.number += 1
        fields: dict[str, Any] = {
            "event": f"e{self.number}", "conversation": "chat-4711", "user": "user-0815", "text": text, "direct": True,
            "addressed": False, "address": {"session": "s"},
        }  # fmt: skip
        return await self.intake.accept(Inbound(**{**fields, **changes}))

    async def mail(self) -> list[Envelope]:
        key = self.keys.mail(self.keys.pseudonym("web", "conversation", "chat-4711"))
        return [Envelope.decode(item) for item in await self.store.command("LRANGE", key, 0, -1)]


@pytest.fixture
def door(store: Store, keys: BotKeys) -> Door:
    return Door(store, keys)


async def test_what_is_stored_has_no_ids_and_no_personal_data(door: Door) -> None:
    assert await door.say("Write to ada@example.org or call +44 20 7946 0958")
    (message,) = await door.mail()
    assert message.text == "Write to [email] or call [phone]"
    values = [
        await door.store.command("DUMP", key) for key in await door.store.command("KEYS", f"{{{door.keys.bot}}}*")
    ]
    for secret in (b"user-0815", b"chat-4711", b"ada@"):
        assert not any(secret in value for value in values if value)


@pytest.mark.parametrize(
    ("when", "direct", "addressed", "text", "heard"),
    [
        ("always", False, False, "hi", True),
        ("mentioned", False, False, "hi", False),
        ("mentioned", False, True, "hi", True),
        ("mentioned", True, False, "hi", True),
        ("commands", False, True, "hi", False),
        ("commands", True, False, "hi", False),
        ("commands", False, False, "!help", True),
        ("mentioned", False, False, "/help", True),
        ("mentioned", False, False, "/help-of-another-bot", False),
        ("always", True, False, "   ", False),
    ],
)
async def test_answer_in(
    store: Store, keys: BotKeys, when: str, direct: bool, addressed: bool, text: str, heard: bool
) -> None:
    door = Door(store, keys, answerIn={"direct": when, "groups": when})
    assert await door.say(text, direct=direct, addressed=addressed) is heard
    assert len(await door.mail()) == int(heard)


async def test_an_event_delivered_twice_is_taken_once(door: Door) -> None:
    assert await door.say("hi", event="same")
    assert await door.say("hi", event="same"), "it was received: the platform need not send it again"
    assert len(await door.mail()) == 1


async def test_who_is_denied_leaves_no_trace(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, access={"deny": ["web:user:1"]})
    assert not await door.say("hi", principals=["user:1"])
    assert await door.store.command("KEYS", f"{{{keys.bot}}}*") == []
    assert await door.say("hi", principals=["user:2"])


async def test_over_the_limit_one_notice_is_enqueued_and_no_text(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 2, "per": "1m"}})
    assert [await door.say(f"message {n}") for n in range(5)] == [True, True, False, False, False]
    mail = await door.mail()
    assert [message.text for message in mail] == ["message 0", "message 1", ""]
    assert mail[2].notice == "limit-user"
    assert mail[2].values is not None
    assert 0 < mail[2].values["seconds"] <= 60


async def test_a_store_that_is_away_is_raised(door: Door) -> None:
    await door.store.close()
    with pytest.raises(StoreUnavailable):
        await door.say("hi")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!help", ("help", "")),
        ("/persona pirate", ("persona", "pirate")),
        ("  !PERSONA  pirate ", ("persona", "pirate")),
        ("!persona\npirate", ("persona", "pirate")),
        ("!unknown", (None, "!unknown")),
        ("help", (None, "help")),
        ("! help", (None, "! help")),
    ],
)
def test_parse_command(text: str, expected: tuple[str | None, str]) -> None:
    assert parse_command(text, commands.names()) == expected


async def test_a_conversation_that_was_left_is_forgotten(door: Door) -> None:
    conversation = door.keys.pseudonym("web", "conversation", "chat-4711")
    await door.store.command("RPUSH", door.keys.context(conversation), "x")
    await door.mailbox.choose(conversation, {"persona": "pirate"}, 60)
    await door.intake.forget("chat-4711")
    assert await door.store.command("KEYS", f"{{{door.keys.bot}}}*") == []
