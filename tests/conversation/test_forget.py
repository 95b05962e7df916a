"""`!forget`: what it erases at once, who may, and that nothing holds it up."""

from __future__ import annotations

import asyncio
from typing import Any

from gptbot.inbox.store import Store
from tests.conversation.room import Room, room
from tests.fakes.openai import FakeOpenAI

ADA: dict[str, Any] = {"direct": False}
BOB: dict[str, Any] = {"direct": False, "user": "bob"}
BOSS: dict[str, Any] = {"direct": False, "user": "boss", "administrator": True}


async def kept(talk: Room) -> list[str]:
    """What the context of the room holds."""
    key = talk.bot.keys.context(talk.bot.keys.pseudonym("web", "conversation", "room"))
    return [item.decode() for item in await talk.store.command("LRANGE", key, 0, -1)]


async def question(talk: Room, text: str, **who: Any) -> None:
    talk.model.say("An answer.")
    await talk.ask(text, **who)


async def test_it_explains_itself_before_it_does_anything(talk: Room) -> None:
    await question(talk, "hello")
    answer = await talk.ask("!forget")
    assert "`!forget me` does it" in answer.text
    assert answer.buttons == {"forget me": "Erase everything"}
    assert (await talk.ask("!forget", **ADA)).buttons == {"forget me": "Erase what is mine"}
    assert set((await talk.ask("!forget", **BOSS)).buttons) == {"forget me", "forget chat"}
    assert "Did you mean `chat`?" in (await talk.ask("!forget chatt")).text
    assert len(await kept(talk)) == 2


async def test_in_private_all_goes_and_it_says_what(talk: Room) -> None:
    await question(talk, "hello")
    await talk.ask("!persona pirate")
    await talk.ask("!language en")
    text = (await talk.ask("!forget me")).text
    assert text.splitlines()[:4] == [
        "Done. Of this chat and of you I have erased:",
        "• 2 messages of the conversation, questions and answers together",
        "• 2 things chosen, such as role and language",
        "• what was counted of your use",
    ]
    assert await kept(talk) == []
    assert await talk.settings() == {}
    assert "nothing kept" in (await talk.ask("!forget chat")).text


async def test_in_a_group_one_persons_messages_go_and_the_others_stay(talk: Room) -> None:
    await question(talk, "mine", **ADA)
    await question(talk, "his", **BOB)
    text = (await talk.ask("!забудь меня", language="ru", **ADA)).text
    assert text.startswith("Готово. О вас во всех чатах стёрто:\n• 2 сообщения разговора, вопросы вместе с ответами\n")
    left = await kept(talk)
    assert len(left) == 2
    assert "his" in left[0]


async def test_a_chat_is_erased_by_its_administrators(talk: Room) -> None:
    await question(talk, "mine", **ADA)
    refused = await talk.ask("!forget chat", **ADA)
    assert refused.text.startswith("Only administrators may erase everything of this chat.")
    assert refused.buttons == {"forget me": "Erase what is mine"}
    assert len(await kept(talk)) == 2
    assert "Of this chat I have erased:\n• 2 messages" in (await talk.ask("!forget chat", **BOSS)).text
    assert await kept(talk) == []


async def test_what_waits_goes_too_and_an_answer_being_made_ends(talk: Room) -> None:
    talk.model.say("never finished", first_token_delay=60)
    assert await talk.tell("first")
    turn = asyncio.create_task(talk.answer())
    await talk.model.wait_requests(1)
    assert await talk.tell("second")
    assert await talk.tell("!forget me")
    conversation = talk.bot.keys.pseudonym("web", "conversation", "room")
    [message] = await talk.bot.mailbox.waiting(conversation)
    assert message.command == "forget", "it was carried out before it is answered"
    turn.cancel()
    await asyncio.wait({turn})
    assert "• 2 messages that waited for their answers" in (await talk.answer()).text
    assert await kept(talk) == []


async def test_no_limit_and_no_pause_holds_it_up(store: Store, model: FakeOpenAI) -> None:
    limits = {"perUser": {"messages": 1}, "mute": {"after": 1, "first": "5m"}}
    async with room(store, model, limits=limits) as talk:
        await question(talk, "hello")
        assert not await talk.tell("hello again")
        assert (await talk.answer()).text.startswith("You keep sending more messages")
        assert not await talk.tell("!help"), "muted"
        assert "• 2 messages" in (await talk.ask("!forget me")).text
        assert await kept(talk) == []
        assert not await talk.tell("!forget me"), "but not over and over"
        assert not await talk.tell("hello?"), "it is no way round the pause"
