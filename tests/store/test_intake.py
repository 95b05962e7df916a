"""The gateway's door on a real Valkey: who is heard, what is stored of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from prometheus_client import REGISTRY

from gptbot.conversation import commands
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.intake import BotIntake
from gptbot.inbox.invocations import parse_command
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.room import Room
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.manifest import BotConfig
from gptbot.platforms.inbound import Hears, Inbound, Verdict, person
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
        self.room = Room(store, keys.bot, lambda: True)
        limits = Limits(store, keys, lambda: self.config.bot.spec.limits, self.room)
        self.intake = BotIntake(lambda: self.config, "web", self.mailbox, limits, commands)
        self.number = 0

    async def say(self, text: str, hears: Hears | None = None, **changes: Any) -> bool:
        self.number += 1
        fields: dict[str, Any] = {
            "event": f"e{self.number}", "conversation": "chat-4711", "user": "user-0815", "text": text, "direct": True,
            "addressed": False, "address": {"session": "s"},
        }  # fmt: skip
        return await self.intake.accept(Inbound(**{**fields, **changes}), hears)

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


async def test_who_is_denied_in_a_group_leaves_no_trace(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, access={"deny": ["web:page:public"]})
    assert not await door.say("hi", principals=["page:public"], direct=False, addressed=True)
    assert await door.store.command("KEYS", f"{{{keys.bot}}}*") == []
    assert await door.say("hi", principals=["user:2"])


async def test_who_is_denied_in_private_is_told_once(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, access={"allow": ["web:page:public"]})
    for _ in range(3):
        assert not await door.say("hi", principals=["user:1"])
    [message] = await door.mail()
    assert (message.notice, message.text) == ("access-denied", "")
    before = store.round_trips
    assert not await door.say("hi", principals=["user:1"])
    assert store.round_trips == before, "a flood costs the store nothing"


async def test_a_platform_that_waits_hears_that_somebody_is_denied(store: Store, keys: BotKeys) -> None:
    door, heard = Door(store, keys, access={"allow": ["web:page:public"]}), list[Verdict]()

    async def hears(verdict: Verdict) -> None:
        heard.append(verdict)

    for _ in range(2):
        assert not await door.say("/help", hears, principals=["user:1"])
    assert heard == [Verdict("access-denied", private=True)] * 2
    assert await door.mail() == []


async def test_over_the_limit_one_notice_is_enqueued_and_no_text(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 2, "per": "1m"}})
    assert [await door.say(f"message {n}") for n in range(5)] == [True, True, False, False, False]
    mail = await door.mail()
    assert [message.text for message in mail] == ["message 0", "message 1", ""]
    assert mail[2].notice == "limit-user"
    assert mail[2].values is not None
    assert 0 < mail[2].values["seconds"] <= 60


def counted(keys: BotKeys, outcome: str) -> float:
    labels = {"bot": keys.bot, "platform": "web", "outcome": outcome}
    return REGISTRY.get_sample_value("gptbot_messages_received_total", labels) or 0


async def test_one_person_has_one_limit_in_private_and_in_groups(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 2, "per": "1m"}})
    assert await door.say("in private")
    assert await door.say("in a group", conversation="group", direct=False, addressed=True)
    assert not await door.say("in another", conversation="another", direct=False, addressed=True)
    assert await door.say("somebody else there", conversation="another", user="user-2", direct=False, addressed=True)


async def test_a_muted_person_is_not_heard_at_all(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 1}, "mute": {"after": 1, "first": "5m"}})
    assert await door.say("hi")
    assert not await door.say("hi again")
    mail = await door.mail()
    assert [(message.notice, message.values) for message in mail[1:]] == [("limit-mute", {"seconds": 300})]
    before, heard = store.round_trips, list[Verdict]()

    async def hears(verdict: Verdict) -> None:
        heard.append(verdict)

    for text in ("hello?", "!stop", "!help"):
        assert not await door.say(text)
    assert not await door.say("edited", event="e1", original_at=time.time())
    assert not await door.say("/help", hears)
    assert store.round_trips == before
    assert [(verdict.refusal, verdict.values, verdict.private) for verdict in heard] == [
        ("limit-mute", {"seconds": 300}, True)
    ]
    labels = {"bot": keys.bot, "platform": "web", "limit": "mute"}
    assert REGISTRY.get_sample_value("gptbot_messages_limited_total", labels) == 6


async def test_messages_that_waited_too_long_are_left_alone(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, answerIn={"maxAge": "10m"})
    assert not await door.say("long ago", sent=time.time() - 601)
    assert await store.command("KEYS", f"{{{keys.bot}}}*") == []
    assert counted(keys, "too_old") == 1
    assert await door.say("just now", sent=time.time() - 500)
    assert [message.text for message in await door.mail()] == ["just now"]


async def test_a_message_that_is_too_long_is_refused_in_words(door: Door) -> None:
    assert await door.say("x" * 16_000)
    assert not await door.say("y" * 16_001)
    mail = await door.mail()
    assert [(message.notice, message.values) for message in mail] == [
        (None, None), ("message-too-long", {"most": 16_000})
    ]  # fmt: skip
    assert mail[1].text == ""
    assert counted(door.keys, "too_long") == 1


async def test_hidden_characters_hide_neither_data_nor_commands(door: Door) -> None:
    assert await door.say("write to ada@exa\u200bmple.org, a\u0301\u0301\u0301\u0301\u0301\u202elive")
    assert await door.say("\u2066!he\u2060lp\u2069")
    assert not await door.say("\u200b\u202e")
    first, second = await door.mail()
    assert first.text.startswith("write to [email], \u00e1")
    assert "\u202e" not in first.text
    assert second.command == "help"


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
    assert parse_command(text, commands) == expected


async def test_a_conversation_that_was_left_is_forgotten(door: Door) -> None:
    conversation = door.keys.pseudonym("web", "conversation", "chat-4711")
    await door.store.command("RPUSH", door.keys.context(conversation), "x")
    await door.mailbox.choose(conversation, {"persona": "pirate"}, 60)
    await door.intake.forget("chat-4711")
    assert await door.store.command("KEYS", f"{{{door.keys.bot}}}*") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/help@somebot", ("help", "")), ("!Помощь", ("help", "")), ("/HELP persona", ("help", "persona")),
        ("!сброс", ("reset", "")), ("! help", (None, "! help")), ("/start", ("start", "")),
        ("/start ref_42", ("start", "ref_42")), ("/start@somebot promo1", ("start", "promo1")),
    ],
)  # fmt: skip
def test_commands_are_known_by_all_their_names(text: str, expected: tuple[str | None, str]) -> None:
    assert parse_command(text, commands) == expected


@pytest.mark.parametrize(
    ("text", "notice", "near"),
    [
        ("/hlep", "command-unknown-near", "help"), ("!summery 5", "command-unknown-near", "summary"),
        ("!помощ", "command-unknown-near", "помощь"), ("/weather Paris", "command-unknown", None),
    ],
)  # fmt: skip
async def test_a_mistyped_command_gets_the_nearest_one(door: Door, text: str, notice: str, near: str | None) -> None:
    assert not await door.say(text)
    (message,) = await door.mail()
    assert (message.notice, message.text) == (notice, "")
    assert (message.values or {}).get("near") == near


async def test_commands_of_other_bots_are_left_alone(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, answerIn={"groups": "always"})
    for text in ("/weather Paris", "!hlep", "!play song"):
        assert not await door.say(text, direct=False)
    assert await door.mail() == []
    assert await door.say("!!!", direct=False), "no command at all"
    assert await door.say("/etc/hosts is a file", direct=False)
    assert not await door.say("!hlep", direct=False, addressed=True)
    assert [message.notice for message in await door.mail()] == [None, None, "command-unknown-near"]


@pytest.mark.parametrize(
    "text",
    [
        "/help@another_bot", "!reset@another_bot,", "/help@other.bot. now",
        "!reset@another_bot", "!reset@another_bot now", "/weather@another_bot Paris",
        f"!help{person('4711')}", "!ПОМОЩЬ@another_bot", "/start@another_bot ref_42",
    ],
)  # fmt: skip
@pytest.mark.parametrize("addressed", [False, True])
@pytest.mark.parametrize("direct", [False, True])
async def test_a_command_for_another_bot_is_neither_carried_out_nor_answered(
    store: Store, keys: BotKeys, text: str, addressed: bool, direct: bool
) -> None:
    door = Door(store, keys, answerIn={"groups": "always"})
    assert not await door.say(text, direct=direct, addressed=addressed, names=["Our_Bot"])
    assert await door.mail() == []


async def test_who_is_over_a_limit_is_not_told_so_for_a_command_of_another_bot(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 1, "per": "1h"}})
    for text in ("one", "two"):
        await door.say(text, names=["our_bot"])
    before = await door.mail()
    await door.say("/help@another_bot", names=["our_bot"])
    assert await door.mail() == before


@pytest.mark.parametrize(
    ("text", "names", "command"),
    [
        ("/help@our_bot", ["Our_Bot"], "help"), ("!reset@OUR_BOT", ["our_bot"], "reset"), ("!help@any", [], "help"),
        ("write to !me@example.org", ["our_bot"], None), ("!x", ["our_bot"], None), ("/help", ["our_bot"], "help"),
    ],
)  # fmt: skip
async def test_a_command_that_names_this_bot_or_none_is_its_own(
    door: Door, text: str, names: list[str], command: str | None
) -> None:
    assert await door.say(text, names=names)
    assert [message.command for message in await door.mail()] == [command]


async def test_an_edit_into_a_command_for_another_bot_takes_the_question_back(door: Door) -> None:
    await door.say("help me", event="1", names=["our_bot"])
    await door.say("/help@another_bot", event="1", names=["our_bot"], original_at=time.time())
    assert await door.mail() == []


@pytest.mark.parametrize("text", ["!reset", "/help", "/nothing_of_ours", "forget me", "/help@another_bot"])
async def test_what_is_forwarded_is_no_command(door: Door, text: str) -> None:
    assert await door.say(text, forwarded=True, names=["our_bot"])
    [message] = await door.mail()
    assert (message.command, message.notice, message.text, message.forwarded) == (None, None, text, True)


async def test_a_button_below_an_answer_has_it_made_anew_once(door: Door) -> None:
    for event, user in (("a", "ada"), ("b", "ada"), ("c", "bob")):
        await door.say("!retry", event=event, user=user, pressed="message-7")
    await door.say("!retry", event="d", pressed="message-8")
    await door.say("!retry", event="e")
    assert [message.command for message in await door.mail()] == ["retry"] * 3, "of both messages, and as it was typed"


async def test_a_press_that_was_refused_can_be_made_again(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, limits={"perUser": {"messages": 1, "per": "1h"}})
    await door.say("one", user="ada")
    assert not await door.say("!retry", user="ada", pressed="message-7")
    assert await door.say("!retry", user="bob", pressed="message-7")
    assert [message.command for message in await door.mail()][-1] == "retry"


@pytest.mark.parametrize(
    ("text", "answer", "principals", "expected", "times"),
    [
        ("/settings", True, (), True, 1), ("/settings", False, (), False, 1), ("/ping", True, (), False, 0),
        ("/settings", False, ("page:public",), True, 0),
    ],
)  # fmt: skip
async def test_the_platform_is_asked_for_administrators_only_by_commands_that_need_it(
    store: Store, keys: BotKeys, text: str, answer: bool, principals: tuple[str, ...], expected: bool, times: int
) -> None:
    door, asked = Door(store, keys, access={"administrators": ["web:page:public"]}), list[bool]()

    async def administrator() -> bool:
        asked.append(answer)
        return answer

    assert await door.say(text, direct=False, principals=principals, administrator=administrator)
    (message,) = await door.mail()
    assert (message.administrator, len(asked)) == (expected, times)
