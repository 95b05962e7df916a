"""Files at the gateway's door: which of them make a message one for the bot, and what is stored of them."""

from __future__ import annotations

from typing import Literal

import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import Attachment
from tests.store.test_intake import Door

SEES = {"llm": {"baseUrl": "http://127.0.0.1:1/v1", "model": "m", "vision": True}}
Kind = Literal["image", "audio", "text", "other"]


def file(kind: Kind) -> Attachment:
    return Attachment(kind=kind, mime="image/png", size=3, reference={"id": "f"}, seconds=2.5)


@pytest.mark.parametrize(
    ("when", "direct", "addressed", "kind", "heard"),
    [
        ("mentioned", True, False, "image", True),
        ("mentioned", True, False, "other", True),
        ("mentioned", False, True, "other", True),
        ("mentioned", False, False, "image", False),
        ("always", False, False, "image", True),
        ("always", False, False, "text", True),
        ("always", False, False, "audio", False),
        ("always", False, False, "other", False),
        ("commands", True, False, "image", False),
    ],
)
async def test_a_file_without_a_word(
    store: Store, keys: BotKeys, when: str, direct: bool, addressed: bool, kind: Kind, heard: bool
) -> None:
    door = Door(store, keys, answerIn={"direct": when, "groups": when}, **SEES)
    assert await door.say("", direct=direct, addressed=addressed, attachments=[file(kind)]) is heard
    assert [message.attachments for message in await door.mail()] == [(file(kind),)] * int(heard)


async def test_a_command_has_no_use_for_files_and_nobody_hears_of_a_sticker_among_others(
    store: Store, keys: BotKeys
) -> None:
    door = Door(store, keys, answerIn={"groups": "always"}, **SEES)
    assert await door.say("!help", attachments=[file("image")])
    assert await door.say("look", direct=False, attachments=[file("image"), file("other")])
    assert not await door.say("/weather", direct=False, attachments=[file("image")])
    assert [len(message.attachments) for message in await door.mail()] == [0, 1]


async def test_a_caption_is_edited_and_the_file_stays(store: Store, keys: BotKeys) -> None:
    door = Door(store, keys, **SEES)
    await door.say("what si it?", event="m", attachments=[file("image")])
    assert not await door.say("what is it?", event="m", attachments=[file("image")], original_at=1.0)
    [message] = await door.mail()
    assert (message.text, message.attachments) == ("what is it?", (file("image"),))
    assert not await door.say("", event="m", attachments=[file("image")], original_at=1.0)
    assert [message.text for message in await door.mail()] == [""]
