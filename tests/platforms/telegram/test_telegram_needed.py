"""A field that a Bot API server does not tell, or that nobody knows, fails nothing: each is left out in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiogram.types import User

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import Inbound
from gptbot.platforms.telegram.polling import read
from tests.fakes.telegram import FakeTelegram
from tests.hostile.mutations import Path, fields, named, with_more, without
from tests.platforms.telegram.harness import ADA, GROUP, config, eventually, running

ME = User(id=1, is_bot=True, first_name="Bot", username="gptbot_test_bot")
SOMEBODY = {"id": 5, "is_bot": False, "first_name": "Eve", "last_name": "E", "username": "eve_e", "language_code": "de",
            "is_premium": True, "added_to_attachment_menu": True}  # fmt: skip
CHAT = {"id": -1005, "type": "supergroup", "title": "Tea", "username": "tea", "is_forum": True}
PHOTO = {"file_id": "f", "file_unique_id": "u", "width": 90, "height": 80, "file_size": 1000}
OLDER = {
    "message_id": 7, "from": {**SOMEBODY, "id": 6, "username": "bob_b"}, "chat": CHAT, "date": 1_700_000_000,
    "message_thread_id": 3, "is_topic_message": True, "text": "the kettle is loud", "video_chat_started": {},
    "entities": [{"type": "bold", "offset": 0, "length": 3}], "link_preview_options": {"is_disabled": True},
}  # fmt: skip
MESSAGE: dict[str, Any] = {
    "message_id": 8, "from": SOMEBODY, "chat": CHAT, "date": 1_800_000_000, "message_thread_id": 3,
    "is_topic_message": True, "reply_to_message": OLDER, "photo": [PHOTO, {**PHOTO, "file_id": "larger"}],
    "caption": "@gptbot_test_bot why, Eve?", "media_group_id": "a", "has_media_spoiler": True,
    "edit_date": 1_800_000_001,
    "caption_entities": [
        {"type": "mention", "offset": 0, "length": 16},
        {"type": "text_mention", "offset": 22, "length": 3, "user": SOMEBODY},
        {"type": "custom_emoji", "offset": 0, "length": 1, "custom_emoji_id": "9"},
    ],
    "quote": {"text": "loud", "position": 14, "is_manual": True,
              "entities": [{"type": "italic", "offset": 0, "length": 4}]},
    "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "y"}]]},
    "forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Someone"},
    "external_reply": {"origin": {"type": "hidden_user", "date": 1, "sender_user_name": "S"}, "message_id": 4},
    "effect_id": "1", "paid_star_count": 3, "suggested_post_info": {"state": "pending"},
}  # fmt: skip
VOICE = {**{name: value for name, value in MESSAGE.items() if name != "photo"}, "voice": {
    "file_id": "v", "file_unique_id": "u", "duration": 3, "mime_type": "audio/ogg", "file_size": 9}}  # fmt: skip
PRESS = {
    "id": "q", "from": SOMEBODY, "chat_instance": "c", "data": "!retry", "game_short_name": "",
    "message": {**OLDER, "from": {"id": 1, "is_bot": True, "first_name": "Bot", "username": "gptbot_test_bot"},
                "reply_markup": {"inline_keyboard": []}},
}  # fmt: skip
STOPPED = {"chat": {"id": 5, "type": "private", "first_name": "Eve"}, "draft_id": 4, "message_thread_id": 2}
UPDATES: dict[str, dict[str, Any]] = {
    "photo": {"update_id": 1, "message": MESSAGE}, "voice": {"update_id": 2, "message": VOICE},
    "edit": {"update_id": 3, "edited_message": MESSAGE}, "press": {"update_id": 4, "callback_query": PRESS},
    "stopped": {"update_id": 5, "stopped_message_generation": STOPPED},
}  # fmt: skip

SAYS_WHO_AND_WHERE = {
    "update_id", "message", "message.message_id", "message.from", "message.from.id", "message.chat", "message.chat.id",
    "message.chat.type", "callback_query.id", "callback_query.from", "callback_query.from.id", "callback_query.message",
    "callback_query.data", "stopped_message_generation.chat", "stopped_message_generation.chat.id",
    "stopped_message_generation.chat.type",
}  # fmt: skip
"""Without these nobody can be answered, or nothing is asked; of a pressed button, those of its message too."""


def said(path: Path) -> str:
    return named(path).replace("edited_message", "message").replace("callback_query.message.", "message.")


@pytest.mark.parametrize("kind", UPDATES)
def test_each_field_is_left_out_in_turn(kind: str) -> None:
    update = UPDATES[kind]
    whole = read(update, ME)
    assert whole is not None
    same = list[str]()
    for path in fields(update):
        if said(path) in {*SAYS_WHO_AND_WHERE, *(kind for kind in update if kind != "update_id"), "callback_query"}:
            continue
        found = read(without(update, path), ME)
        assert found is not None, f"without {said(path)} it cannot be read"
        if found == whole:
            same.append(said(path))
    unread = [name for name in same if name.endswith(("first_name", "file_unique_id", "position", "chat_instance"))]
    assert unread or kind == "stopped", "what is not read changes nothing"


def test_what_is_missing_is_missing_and_all_else_is_read() -> None:
    whole = read(UPDATES["photo"], ME)
    assert whole is not None
    assert (whole.text, whole.album, len(whole.attachments)) == ("why, \ue000@eve_e\ue001?", "a", 1)
    without_quote = read(without(UPDATES["photo"], ("message", "quote")), ME)
    assert without_quote is not None
    assert without_quote.quote.endswith(": the kettle is loud")
    one_size = read(without(UPDATES["photo"], ("message", "photo", 0, "file_id")), ME)
    assert one_size is not None
    assert one_size.attachments[0].reference == {"file_id": "larger"}


@pytest.mark.parametrize("kind", UPDATES)
def test_fields_that_nobody_knows_change_nothing(kind: str) -> None:
    def plain(found: Inbound | None) -> object:
        assert found is not None
        return found

    assert plain(read(with_more(UPDATES[kind]), ME)) == plain(read(UPDATES[kind], ME))


ADMINISTRATOR = {
    "status": "administrator", "is_anonymous": False, "custom_title": "boss",
    **dict.fromkeys(
        ("can_be_edited", "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members",
         "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories",
         "can_delete_stories", "can_pin_messages", "can_manage_topics", "can_send_welcome_messages"), True,
    ),
}  # fmt: skip


async def test_an_administrator_is_one_whatever_else_the_server_tells(
    fake: FakeTelegram, store: Store, keys: BotKeys
) -> None:
    user = fake.world.users[ADA].api() | {"last_name": "L", "is_premium": True}
    whole: dict[str, Any] = {"user": user, **ADMINISTRATOR}
    answers = [whole, *(without(whole, path) for path in fields(whole) if path[-1] not in ("user", "id"))]
    answer: list[Any] = []

    async def members(_: Any) -> Any:
        return answer

    fake.add_method("getChatAdministrators", members)
    await fake.set_privacy_mode(False)
    async with running(config(fake), store, keys) as bot:
        await fake.say(GROUP, ADA, "@gptbot_test_bot !settings")
        await eventually(lambda: bot.intake.accepted)
        [message] = bot.intake.accepted
        assert message.administrator is not None
        for each in answers:
            answer[:] = [{"status": "creator", "user": {"id": 99}}, {"status": "odd"}, 5, each]
            assert await message.administrator(), sorted(each)
        answer[:] = [{"status": "creator", "user": {"id": 99}}]
        assert not await message.administrator()


async def test_the_bot_is_known_by_its_id_alone(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    get_me: Callable[[Any], Any] = fake.methods.handlers["getme"]
    for name in [name for name in await get_me(None) if name != "id"]:

        async def less(given: Any, name: str = name) -> Any:
            return {key: value for key, value in (await get_me(given)).items() if key != name} | {"of_tomorrow": []}

        fake.add_method("getMe", less)
        async with running(config(fake), store, keys) as bot:
            await fake.say(ADA, ADA, f"without {name}")
            await eventually(lambda: bot.intake.texts)
            assert bot.intake.texts == [f"without {name}"]
            await fake.wait_for_confirmed()
