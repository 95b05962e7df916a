"""What cannot be read is answered with a sentence where the bot was meant, and the model is not asked."""

from __future__ import annotations

from tests.conversation.room import Room


async def test_a_private_chat_is_never_silent(talk: Room) -> None:
    assert not await talk.tell("", unread="unread-contact")
    assert (await talk.answer()).text.startswith("I leave contact cards unread")
    assert not await talk.tell("", unread="unread-location", language="ru")
    assert (await talk.answer()).text.startswith("Места на карте")
    assert talk.model.requests == []


async def test_a_group_hears_it_only_where_the_bot_was_meant(talk: Room) -> None:
    assert not await talk.tell("", unread="unread-story", direct=False, addressed=False, quote="a quote")
    assert not await talk.tell("", unread="unread-story", direct=False, addressed=True)
    assert (await talk.answer()).text.startswith("I cannot open stories")


async def test_the_words_below_it_are_a_question(talk: Room) -> None:
    talk.model.say("Fine.")
    assert (await talk.ask("[place] Tea house", direct=True)).text == "Fine."
