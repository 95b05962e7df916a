"""Whatever an update of Telegram holds, it is a message, or nothing: reading goes on with the next one."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from aiogram.types import User
from hypothesis import given, settings

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.inbound import Inbound
from gptbot.platforms.telegram.polling import Poller, read
from tests.hostile.mutations import mutated, nested

_ME = User(id=99, is_bot=True, first_name="Bot", username="bot")
_PERSON = {"id": 11, "is_bot": False, "first_name": "Ada", "username": "ada", "language_code": "en"}
_MESSAGE: dict[str, Any] = {
    "message_id": 5, "date": 1_700_000_000, "from": _PERSON, "text": "@bot hello @ann",
    "chat": {"id": -100, "type": "supergroup", "title": "Shop", "is_forum": True},
    "message_thread_id": 3, "is_topic_message": True,
    "entities": [{"type": "mention", "offset": 0, "length": 4}, {"type": "mention", "offset": 11, "length": 4}],
    "reply_to_message": {
        "message_id": 4, "date": 1_700_000_000, "from": {"id": 99, "is_bot": True, "first_name": "Bot"},
        "chat": {"id": -100, "type": "supergroup", "title": "Shop"}, "text": "an answer",
    },
    "quote": {"text": "an", "position": 0},
    "photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1, "file_size": 10}],
    "media_group_id": "7",
}  # fmt: skip
_UPDATES: list[dict[str, Any]] = [
    {"update_id": 1, "message": _MESSAGE},
    {"update_id": 2, "edited_message": {**_MESSAGE, "edit_date": 1_700_000_001}},
    {
        "update_id": 3,
        "callback_query": {
            "id": "8", "from": _PERSON, "chat_instance": "9", "data": "c:stop",
            "message": {
                "message_id": 6, "date": 1_700_000_000, "from": {"id": 99, "is_bot": True, "first_name": "Bot"},
                "chat": {"id": 11, "type": "private", "first_name": "Ada"}, "text": "an answer",
            },
        },
    },
]  # fmt: skip


@pytest.mark.parametrize("sample", _UPDATES, ids=["message", "edit", "button"])
def test_an_update_with_anything_in_it_ends_nothing(sample: dict[str, Any]) -> None:
    @settings(max_examples=150)
    @given(mutated(sample))
    def never_raises(update: dict[str, Any]) -> None:
        assert isinstance(read(update, _ME), Inbound | None)

    never_raises()


@pytest.mark.parametrize("field", ["message", "channel_post", "unknown", "update_id"])
def test_a_deep_update_ends_nothing(field: str) -> None:
    assert read({"update_id": 1, field: nested(900)}, _ME) is None


def test_the_samples_are_read() -> None:
    said = read(_UPDATES[0], _ME)
    assert said is not None
    assert said.addressed
    assert read(_UPDATES[1], _ME) is not None


@pytest.mark.parametrize(
    ("kept", "offset"),
    [
        (b"99:42", 42), (b"99:9007199254740991", 2**53 - 1), (b"99:9007199254740992", None),
        (b"99:999999999999999999", None), (b"99:-1", None), (b"98:42", None),
    ],
)  # fmt: skip
async def test_an_offset_that_no_update_has_is_not_asked_for(
    store: Store, keys: BotKeys, kept: bytes, offset: int | None
) -> None:
    """Telegram would forget all updates before it."""
    context: Any = SimpleNamespace(store=store, keys=keys)
    await store.command("SET", keys.platform("telegram", "offset"), kept)
    poller = Poller(SimpleNamespace(), _ME, context, SimpleNamespace())  # pyright: ignore[reportArgumentType]
    assert await poller._kept_offset() == offset


_LONGEST = 0.050
_OF_ONE = {"message_id": 1, "chat": {"id": -5, "type": "supergroup"}, "from": {"id": 5}}
_LARGE: dict[str, dict[str, Any]] = {
    "blocks": {"rich_message": {"blocks": [{"type": "paragraph", "text": "a"}] * 32_000}},
    "parts": {"rich_message": {"blocks": [{"type": "paragraph", "text": ["a"] * 250_000}]}},
    "code": {"rich_message": {"blocks": [{"type": "paragraph", "text": [{"type": "code", "text": "a"}] * 36_000}]}},
    "items": {"rich_message": {"blocks": [{"type": "list", "items": [{"label": "-"}] * 70_000}]}},
    "entities": {"text": "a " * 2048, "entities": [
        {"type": "text_link", "offset": number % 4096, "length": 1, "url": "https://e.org"} for number in range(15_000)
    ]},
}  # fmt: skip


@pytest.mark.parametrize("name", _LARGE)
def test_an_update_of_a_megabyte_stalls_nobody(name: str) -> None:
    update = {"update_id": 1, "message": {**_OF_ONE, **_LARGE[name]}}

    def reading() -> float:
        begun = time.process_time()
        assert read(update, _ME) is not None
        return time.process_time() - begun

    assert min(reading() for _ in range(7)) < _LONGEST


def test_what_is_beyond_a_rich_message_is_not_read() -> None:
    found = read({"update_id": 1, "message": {**_OF_ONE, **_LARGE["code"]}}, _ME)
    assert found is not None
    assert 0 < len(found.text) < 40_000
