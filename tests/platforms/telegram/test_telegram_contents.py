"""What a message says besides plain text: rich messages, links and code, polls and places, and what is not read."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram.types import MessageEntity, User

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.locales import languages, texts
from gptbot.platforms.inbound import Inbound, person
from gptbot.platforms.telegram.polling import read
from gptbot.platforms.telegram.spoken import to_bot
from tests.fakes.telegram import FakeTelegram
from tests.hostile.mutations import fields, without
from tests.platforms.telegram.harness import ADA, BOB, GROUP
from tests.platforms.telegram.test_telegram_mapping import speaker_of, taken

ME = User(id=1, is_bot=True, first_name="Bot", username="gptbot_test_bot")
ANSWER = "# Kettles\n\nUse **two** of `x`, see [this page](https://example.org/a).\n\n```py\nprint(1)\n```"
SHOWN = "# Kettles\n\nUse two of `x`, see [this page](https://example.org/a).\n\n```py\nprint(1)\n```"


async def test_a_reply_to_a_rich_answer_quotes_it(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    await fake.set_bot_api(10, 1)
    mine = fake.world.store(fake.world.chat(ADA), fake.world.me, ANSWER, [], rich=True)
    ours = fake.world.store(fake.world.chat(GROUP), fake.world.me, ANSWER, [], rich=True)
    theirs = fake.world.store(fake.world.chat(GROUP), fake.world.users[BOB], "**hot**", [], rich=True)
    part = {"quote": {"text": "Use two", "position": 9, "is_manual": True}}
    messages = await taken(
        fake, store, keys, (ADA, ADA, "why?", {"reply_to": mine.id}), (GROUP, ADA, "why?", {"reply_to": ours.id}),
        (GROUP, ADA, "so?", {"reply_to": theirs.id}), (ADA, ADA, "two?", {"reply_to": mine.id, "extra": part}),
    )  # fmt: skip
    bob = person(speaker_of(fake, BOB))
    quotes = {(message.conversation, message.text): message.quote for message in messages}
    assert quotes == {
        (str(ADA), "why?"): SHOWN, (str(GROUP), "why?"): SHOWN, (str(GROUP), "so?"): f"{bob}: hot",
        (str(ADA), "two?"): "Use two",
    }  # fmt: skip
    assert [message.addressed for message in messages if message.conversation == str(GROUP)] == [True, False]


def rich(*blocks: Any) -> dict[str, Any]:
    return {"rich_message": {"blocks": list(blocks)}}


PHOTO = {"file_id": "f", "file_unique_id": "u", "width": 9, "height": 8, "file_size": 7}
FORWARDED = rich(
    {"type": "heading", "size": 2, "text": ["Plan ", {"type": "italic", "text": "B"}]},
    {"type": "list", "items": [
        {"label": "1.", "value": 1, "blocks": [{"type": "paragraph", "text": "first"}, {"type": "list", "items": [
            {"label": "•", "blocks": [{"type": "paragraph", "text": "inner"}]}]}]},
        {"label": "•", "has_checkbox": True, "is_checked": True, "blocks": [{"type": "paragraph", "text": "done"}]},
    ]},
    {"type": "table", "cells": [[{"text": "a"}, {"text": {"type": "bold", "text": "b"}}], [{"text": "1"}, {}]]},
    {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "quoted 😀"}], "credit": "Eve"},
    {"type": "pre", "language": "rust", "text": "fn main() {}"},
    {"type": "details", "summary": "more", "blocks": [{"type": "mathematical_expression", "expression": "x^2"}]},
    {"type": "paragraph", "text": [
        {"type": "custom_emoji", "custom_emoji_id": "1", "alternative_text": "🙂"}, " ",
        {"type": "url", "url": "https://e.org/(x)", "text": "here"}, " ", {"type": "code", "text": "a`b"}, " ",
        {"type": "text_mention", "text": "Eve", "user": {"id": 77, "is_bot": False, "first_name": "Eve"}}, " ",
        {"type": "mathematical_expression", "expression": "y"}, {"type": "anchor", "name": "n"},
        {"type": "of_tomorrow", "text": " and"},
    ]},
    {"type": "photo", "photo": [PHOTO], "caption": {"text": "a kettle"}},
    {"type": "divider"}, {"type": "of_tomorrow"}, 5,
)  # fmt: skip
IN_WORDS = (
    "## Plan B\n\n1. first\n  - inner\n- [x] done\n\n| a | b |\n|---|---|\n| 1 |  |\n\nquoted 😀"
    "\n\n```rust\nfn main() {}\n```\n\nmore\n$$x^2$$"
    "\n\n🙂 [here](https://e.org/%28x%29) ``a`b`` Eve $y$ and\n\na kettle\n\n---"
)


async def test_a_forwarded_rich_message_is_read(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    [message] = await taken(fake, store, keys, (ADA, ADA, "", {"extra": FORWARDED}))
    assert message.text == IN_WORDS
    assert [file.reference for file in message.attachments] == [{"file_id": "f"}]


async def test_a_mention_in_a_rich_message_means_the_bot(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    mention = {"type": "mention", "username": "gptbot_test_bot", "text": "@gptbot_test_bot"}
    asked = rich({"type": "paragraph", "text": [mention, " what is ", {"type": "code", "text": "x"}, "?"]})
    [message] = await taken(fake, store, keys, (GROUP, ADA, "", {"extra": asked}))
    assert (message.text, message.addressed) == ("what is `x`?", True)


def test_a_rich_message_of_nothing_has_no_text() -> None:
    said = {"message_id": 1, "chat": {"id": 5, "type": "private"}, "from": {"id": 5}}
    odd: Any
    for odd in ({}, {"blocks": 5}, {"blocks": [5, None, {}]}, [], "x", {"blocks": [{"type": "divider", "text": []}]}):
        found = read({"update_id": 1, "message": {**said, "rich_message": odd}}, ME)
        assert found is not None
        assert (found.text, found.unread) in (("---", ""), ("", "unread-message"))


def entity(kind: str, offset: int, length: int, **more: Any) -> MessageEntity:
    return MessageEntity.model_validate({"type": kind, "offset": offset, "length": length, **more})


def link(offset: int, length: int, url: str = "https://e.org/a") -> MessageEntity:
    return entity("text_link", offset, length, url=url)


@pytest.mark.parametrize(
    ("text", "entities", "said"),
    [
        ("read this now", [link(5, 4)], "read [this](https://e.org/a) now"),
        ("😀 this", [link(3, 4)], "😀 [this](https://e.org/a)"),
        ("this", [link(0, 4, "http://e.org/a(b)?q=c d")], "this"),
        ("this", [link(0, 4, "http://e.org/a(b)")], "[this](http://e.org/a%28b%29)"),
        ("e.org/a", [link(0, 7, "https://e.org/a/")], "e.org/a"),
        ("Eve", [link(0, 3, "tg://user?id=4711")], "Eve"),
        ("Eve", [link(0, 3, "javascript:alert(1)")], "Eve"),
        ("a b", [link(0, 3), entity("code", 2, 1)], "[a `b`](https://e.org/a)"),
        ("a b c", [link(0, 3), link(0, 5), entity("bold", 0, 5)], "[a b c](https://e.org/a)"),
        ("a b c", [link(0, 3), entity("code", 2, 3)], "[a b](https://e.org/a) c"),
        ("run ls -l", [entity("code", 4, 5)], "run `ls -l`"),
        ("run `x`", [entity("code", 4, 3)], "run `` `x` ``"),
        ("😀 x\nso", [entity("pre", 3, 1, language="c++")], "😀 \n```c++\nx\n```\nso"),
        ("why?\na = 1\nb = 2", [entity("pre", 5, 11)], "why?\n```\na = 1\nb = 2\n```"),
        ("a ``` b", [entity("pre", 0, 7, language="x y")], "````\na ``` b\n````"),
        ("!persona pirate", [entity("code", 9, 6)], "!persona pirate"),
        ("!help", [entity("code", 0, 5)], "!help"),
        ("/etc/hosts is what?", [entity("code", 0, 10)], "`/etc/hosts` is what?"),
        ("@gptbot_test_bot `?", [entity("mention", 0, 16), entity("code", 17, 1)], "`` ` ``?"),
        ("@gptbot_test_bot !help", [entity("mention", 0, 16), entity("code", 17, 5)], "!help"),
        ("x", [link(0, 0), entity("code", 0, 0), entity("code", 0, -4), entity("pre", 5, 9)], "x"),
        ("a😀", [entity("code", 2, 1)], "a\ufffd`\ufffd`"),
    ],
)  # fmt: skip
def test_links_and_code_are_markdown(text: str, entities: list[MessageEntity], said: str) -> None:
    assert to_bot(text, entities, ME, direct=True)[0] == said


def test_addresses_make_no_message_too_long() -> None:
    from gptbot.safety.normalize import MOST_CHARACTERS

    text = "ab " * 1365
    entities = [link(place, 2, "https://e.org/" + "x" * 2000) for place in range(0, len(text), 3)]
    assert len(to_bot(text, entities, ME, direct=True)[0]) <= MOST_CHARACTERS
    marked = [entity("code", place, 1) for place in range(0, 4096, 2)]
    assert len(to_bot("a " * 2048, marked, ME, direct=True)[0]) <= MOST_CHARACTERS


async def test_captions_and_quotes_are_marked_too(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    code = [{"type": "code", "offset": 0, "length": 2}]
    theirs = fake.world.store(fake.world.chat(ADA), fake.world.me, "ls is it", code)
    part = {"quote": {"text": "ls is", "position": 0, "entities": code}}
    messages = await taken(
        fake, store, keys, (ADA, ADA, "ls in this?", {"extra": {"photo": [PHOTO]}, "entities": code}),
        (ADA, ADA, "why?", {"reply_to": theirs.id}), (ADA, ADA, "hm?", {"reply_to": theirs.id, "extra": part}),
    )  # fmt: skip
    assert [(message.text, message.quote) for message in messages] == [
        ("`ls` in this?", ""), ("why?", "`ls` is it"), ("hm?", "`ls` is"),
    ]  # fmt: skip


PLACE = {"latitude": 55.751244, "longitude": 37.618423}
CONTACT = {
    "phone_number": "+79161234567",
    "first_name": "Eve",
    "last_name": "Secret",
    "user_id": 4711,
    "vcard": "BEGIN",
}
WORDS: dict[str, dict[str, Any]] = {
    "[poll] Tea?\n- yes\n- no": {"poll": {"id": "1", "question": "Tea?", "options": [
        {"text": "yes", "voter_count": 0, "persistent_id": "a"}, {"text": "no"}]}},
    "[checklist] Trip\n- pack": {"checklist": {"title": "Trip", "tasks": [{"id": 1, "text": "pack"}]}},
    "[place] Tea house, 1 Tea street": {"location": PLACE, "venue": {
        "location": PLACE, "title": "Tea house", "address": "1 Tea street"}},
    "[dice] 🎲 4": {"dice": {"emoji": "🎲", "value": 4}},
    "[game] Chess: the game": {"game": {"title": "Chess", "description": "the game", "photo": [PHOTO]}},
}  # fmt: skip
UNREAD: dict[str, dict[str, Any]] = {
    "unread-location": {"location": PLACE}, "unread-contact": {"contact": CONTACT},
    "unread-story": {"story": {"chat": {"id": 4711, "type": "private", "first_name": "Secret"}, "id": 1}},
    "unread-message": {"giveaway": {"chats": [], "winners_selection_date": 1, "winner_count": 1}},
}  # fmt: skip
OTHERS: list[dict[str, Any]] = [
    {"invoice": {"title": "t", "description": "d", "start_parameter": "", "currency": "XTR", "total_amount": 1}},
    {"paid_media": {"star_count": 1, "paid_media": [{"type": "preview"}]}},
    {"giveaway_winners": {"chat": {"id": 1, "type": "channel"}, "giveaway_message_id": 1, "winner_count": 1}},
    {"live_photo": {**PHOTO, "duration": 1}},
]  # fmt: skip


async def test_what_a_model_can_use_is_told_in_words(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    messages = await taken(fake, store, keys, *((ADA, ADA, "", {"extra": extra}) for extra in WORDS.values()))
    assert [message.text for message in messages] == list(WORDS)
    assert not any(message.unread for message in messages)
    assert "55.75" not in repr(messages)


async def test_a_poll_that_is_replied_to_is_quoted(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    poll = next(iter(WORDS.values()))
    theirs = fake.world.store(fake.world.chat(GROUP), fake.world.users[BOB], "", [], extra=poll)
    [message] = await taken(fake, store, keys, (GROUP, ADA, "@gptbot_test_bot well?", {"reply_to": theirs.id}))
    assert message.quote == f"{person(speaker_of(fake, BOB))}: [poll] Tea?\n- yes\n- no"


async def test_what_cannot_be_read_is_said_and_nothing_personal_passes(
    fake: FakeTelegram, store: Store, keys: BotKeys
) -> None:
    said = [*UNREAD.values(), *OTHERS]
    messages = await taken(fake, store, keys, *((ADA, ADA, "", {"extra": extra}) for extra in said))
    assert [message.unread for message in messages] == [*UNREAD, *["unread-message"] * len(OTHERS)]
    for message in messages:
        assert (message.text, message.quote, message.attachments) == ("", "", ())
    for secret in ("7916", "Secret", "Eve", "4711", "BEGIN", "55.75"):
        assert secret not in repr(messages)
    for name in UNREAD:
        assert all(texts(language)(name) for language in languages())


def test_a_place_that_moves_asks_nothing() -> None:
    said = {"message_id": 1, "chat": {"id": 5, "type": "private"}, "from": {"id": 5}, "location": PLACE}
    assert read({"update_id": 1, "message": said}, ME) is not None
    assert read({"update_id": 2, "edited_message": said}, ME) is None


def plain(found: Inbound | None) -> str:
    assert found is not None
    return found.text


@pytest.mark.parametrize("name", WORDS)
def test_a_part_that_is_missing_fails_nothing(name: str) -> None:
    said = {"message_id": 1, "chat": {"id": 5, "type": "private"}, "from": {"id": 5}, **WORDS[name]}
    update = {"update_id": 1, "message": said}
    assert plain(read(update, ME)) == name
    for path in fields(update):
        if path[:2] == ("message", next(iter(WORDS[name]))) and len(path) > 2:
            assert plain(read(without(update, path), ME)).startswith(name.partition("]")[0])
