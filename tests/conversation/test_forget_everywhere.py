"""`!forget me`, asked in one chat, erases a person in all of them: in private, in groups, in line, given up."""

from __future__ import annotations

import asyncio
from typing import Any

from gptbot.inbox.chats import Chat, Chats
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.overheard import ON, SETTING
from gptbot.inbox.store import Store
from gptbot.safety.pseudonyms import Pseudonyms
from tests.conversation.room import Room
from tests.fakes.openai.script import Script
from tests.process.residue import Kept, dump, kind

PRIVATE: dict[str, Any] = {"conversation": "ada alone"}
HALL: dict[str, Any] = {"conversation": "hall", "direct": False}
YARD: dict[str, Any] = {"conversation": "yard", "direct": False}
BOB: dict[str, Any] = {"user": "bob"}


def conversation(talk: Room, where: dict[str, Any]) -> str:
    return talk.bot.keys.pseudonym("web", "conversation", where["conversation"])


def ada(talk: Room) -> str:
    return talk.bot.keys.pseudonym("web", "user", "ada")


async def kept(talk: Room) -> list[Kept]:
    """What the store holds of this bot."""
    return [each for each in await dump(talk.store) if each.key.startswith(talk.bot.keys.prefix)]


async def question(talk: Room, text: str, **where: Any) -> None:
    talk.model.say(f"An answer to who said: {text}")
    await talk.ask(text, **where)


async def known(talk: Room) -> set[str]:
    return {chat.conversation for chat in await Chats(talk.store, talk.bot.keys).of(ada(talk))}


async def test_one_request_is_for_all_chats(talk: Room) -> None:
    await question(talk, "hers in private", **PRIVATE)
    await talk.ask("!persona pirate", **PRIVATE)
    for where in (HALL, YARD):
        await question(talk, "hers in a group", **where)
        await question(talk, "his in a group", **where, **BOB)
    await question(talk, "hers by another name", **HALL, speaker="quartz77")
    await talk.bot.mailbox.choose(conversation(talk, YARD), {SETTING: ON}, 60)
    for who in ({}, BOB):
        assert not await talk.tell("overheard", **YARD, **who, addressed=False)
    talk.model.scripts.append(Script(match="given up", fault="refused"))
    await talk.ask("hers, given up", **YARD)
    assert await talk.tell("hers, waiting", **PRIVATE)
    assert await known(talk) == {conversation(talk, where) for where in (PRIVATE, HALL, YARD)}

    assert await talk.tell("!forget me", **HALL)
    while not (answer := await talk.answer()).text.startswith("Done."):
        pass
    assert answer.text.splitlines()[:8] == [
        "Done. Of you, in all chats, I have erased:",
        "• 9 messages of the conversation, questions and answers together",
        "• 1 message that waited for its answer",
        "• 2 messages kept for summaries",
        "• 1 thing chosen, such as role or language",
        "• 1 question that I could not answer",
        "• what was counted of your use",
        "",
    ]
    left = await kept(talk)
    assert {kind(each.key) for each in left if each.holds(ada(talk))} == {f"rate:user:{ada(talk)}"}
    assert not any(each.holds("hers") for each in left)
    for where in (HALL, YARD):
        name = Pseudonyms(talk.bot.keys, "web", where["conversation"]).of("ada")
        assert not any(each.holds(name) for each in left)
    about_private = {kind(each.key) for each in left if each.holds(conversation(talk, PRIVATE))}
    assert about_private == {f"rate:chat:{conversation(talk, PRIVATE)}"}
    assert sum(each.holds("his in a group") for each in left) == 2, "the words of others stay"
    assert sum(each.holds("overheard") for each in left) == 1


async def test_a_group_that_is_forgotten_is_known_of_nobody(talk: Room) -> None:
    await question(talk, "hers", **HALL)
    await question(talk, "his", **HALL, **BOB)
    await question(talk, "his elsewhere", **YARD, **BOB)
    await talk.bot.mailbox.choose(conversation(talk, HALL), {SETTING: ON}, 60)
    assert not await talk.tell("overheard", **HALL, user="eve", addressed=False)
    hall = conversation(talk, HALL)
    assert len([each for each in await kept(talk) if kind(each.key).startswith("in:") and each.holds(hall)]) == 3
    assert (await talk.ask("!forget chat", **HALL, user="boss", administrator=True)).text.startswith("Done.")
    left = await kept(talk)
    assert {kind(each.key) for each in left if each.holds(hall)} == {f"rate:chat:{hall}"}
    names = Pseudonyms(talk.bot.keys, "web", "hall")
    assert not any(each.holds(names.of(person)) for each in left for person in ("ada", "bob", "eve", "boss"))
    bob = talk.bot.keys.pseudonym("web", "user", "bob")
    assert [chat.conversation for chat in await Chats(talk.store, talk.bot.keys).of(bob)] == [conversation(talk, YARD)]


async def test_who_writes_while_a_group_is_forgotten_stays_known(talk: Room) -> None:
    await question(talk, "hers", **HALL)
    assert await talk.tell("!forget chat", **HALL, user="boss", administrator=True)
    assert await talk.tell("hers, later", **HALL)
    assert (await talk.answer()).text.startswith("Done.")
    assert await known(talk) == {conversation(talk, HALL)}, "her question waits there"


async def test_what_is_said_afterwards_can_be_forgotten_again(talk: Room) -> None:
    await question(talk, "hers", **PRIVATE)
    await talk.ask("!forget me", **HALL)
    assert await known(talk) == set()
    await question(talk, "hers again", **PRIVATE)
    assert "• 2 messages of the conversation" in (await talk.ask("!forget me", **HALL)).text
    assert not any(each.holds("hers") for each in await kept(talk))


async def test_a_chat_stays_known_while_something_waits_there(talk: Room) -> None:
    assert await talk.tell("hers, and not answered yet", **YARD)
    chat = Chat(conversation(talk, YARD), Pseudonyms(talk.bot.keys, "web", "yard").of("ada"))
    chats = Chats(talk.store, talk.bot.keys)
    await chats.part(ada(talk), chat, "another event")
    assert await known(talk) == {chat.conversation}
    [waiting] = await talk.bot.mailbox.waiting(chat.conversation)
    await chats.part(ada(talk), chat, waiting.event)
    assert await known(talk) == set()


async def test_a_chat_is_known_as_long_as_anything_may_be_kept_of_it(store: Store, keys: BotKeys) -> None:
    mailbox, chats = Mailbox(store, keys, "w", retention=lambda: 100), Chats(store, keys)

    async def write(event: str, where: str, **changes: Any) -> None:
        envelope: dict[str, Any] = {
            "event": event, "platform": "web", "user": "ann", "text": "", "address": {}, "direct": True,
            "received": 1.0,
        }  # fmt: skip
        assert await mailbox.enqueue(where, Envelope(**{**envelope, **changes}))

    await write("e1", "private")
    assert 224 <= await store.command("TTL", keys.chats("ann")) <= 225
    await write("e2", "group", direct=False)
    assert await chats.of("ann") == [Chat("private", "")], "a notice in a group is nothing that a person said"
    await asyncio.sleep(0.002)  # they are told in the order of their times
    await write("e3", "group", direct=False, speaker="user-1234")
    assert await chats.of("ann") == [Chat("private", ""), Chat("group", "user-1234")]
    score = await store.command("ZSCORE", keys.chats("ann"), "private ")
    await write("e4", "private")
    assert await store.command("ZSCORE", keys.chats("ann"), "private ") == score, "that is no news"
    await store.command("ZADD", keys.chats("ann"), 1, "private ")
    await write("e5", "other")
    assert {chat.conversation for chat in await chats.of("ann")} == {"group", "other"}, "each goes in its own time"
