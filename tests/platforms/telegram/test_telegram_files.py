"""Files on Telegram: what of a message is a file, and how its content is fetched."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.base import Fetches
from gptbot.platforms.errors import NotSent, Rejected, SendError, TooLarge
from gptbot.platforms.inbound import Attachment
from gptbot.platforms.telegram.sender import TelegramSender
from tests.fakes.telegram import FakeTelegram
from tests.platforms.telegram.harness import ADA, BOB, GROUP, config, running, sending

ADDRESS = {"chat_id": ADA, "thread_id": None, "message_id": 1, "chat_type": "private"}
Json = dict[str, Any]


def file(name: str, size: int | None = 10, **more: Any) -> Json:
    found: Json = {"file_id": name, "file_unique_id": f"u{name}", **more}
    return found if size is None else found | {"file_size": size}


def photo(*sizes: tuple[str, int, int | None]) -> Json:
    return {"photo": [file(name, size, width=width, height=width) for name, width, size in sizes]}


STICKER = file("st", type="regular", width=1, height=1, is_animated=False, is_video=False)
FILM = file("v", width=1, height=1, duration=3)
CASES: list[tuple[Json, Attachment]] = [
    (
        photo(("small", 90, 1000), ("big", 1280, 200_000), ("huge", 9000, 9_000_000)),
        Attachment(kind="image", mime="image/jpeg", size=200_000, reference={"file_id": "big"}),
    ),
    (
        {"document": file("d", file_name="Ada Lovelace.py", mime_type="text/x-python")},
        Attachment(kind="text", mime="text/python", size=10, reference={"file_id": "d"}),
    ),
    (
        {"document": file("d", None, file_name="IMG_1.PNG", mime_type="image/png")},
        Attachment(kind="image", mime="image/png", size=None, reference={"file_id": "d"}),
    ),
    (
        {"voice": file("w", duration=4, mime_type="audio/ogg")},
        Attachment(kind="audio", mime="audio/ogg", size=10, seconds=4, reference={"file_id": "w"}),
    ),
    (
        {"audio": file("a", duration=200, mime_type="audio/mpeg", file_name="Ada sings.mp3", performer="Ada")},
        Attachment(kind="audio", mime="audio/mpeg", size=10, seconds=200, reference={"file_id": "a"}),
    ),
    ({"video": FILM}, Attachment(kind="other", mime="video/mp4", size=10, reference={"file_id": "v"})),
    (
        {"animation": FILM, "document": FILM | {"mime_type": "video/mp4"}},
        Attachment(kind="other", mime="video/mp4", size=10, reference={"file_id": "v"}),
    ),
    (
        {"video_note": file("n", length=1, duration=3)},
        Attachment(kind="other", mime="video/mp4", size=10, reference={"file_id": "n"}),
    ),
    ({"sticker": STICKER}, Attachment(kind="other", mime="", size=10, reference={"file_id": "st"})),
]


async def test_what_is_a_file(fake: FakeTelegram, store: Store, keys: BotKeys) -> None:
    async with running(config(fake), store, keys) as bot:
        for extra, _ in CASES:
            await fake.say(ADA, ADA, "", extra=extra)
        await fake.wait_for_confirmed()
        assert [list(message.attachments) for message in bot.intake.accepted] == [[wanted] for _, wanted in CASES]
        assert {message.text for message in bot.intake.accepted} == {""}
        assert "Lovelace" not in repr(bot.intake.accepted)


async def test_in_groups_files_count_with_a_mention_or_in_a_reply(
    fake: FakeTelegram, store: Store, keys: BotKeys
) -> None:
    picture = photo(("p", 90, 1000))
    await fake.set_privacy_mode(False)
    async with running(config(fake), store, keys) as bot:
        said = await fake.say(GROUP, BOB, "look", extra=picture)
        await fake.say(GROUP, ADA, "@gptbot_test_bot what is it?", extra=picture)
        await fake.say(GROUP, ADA, "@gptbot_test_bot and this?", reply_to=said.id)
        wave = await fake.say(GROUP, BOB, "", extra={"sticker": STICKER})
        await fake.say(GROUP, ADA, "@gptbot_test_bot why?", reply_to=wave.id)
        await fake.wait_for_confirmed()
        seen = [(m.text, m.addressed, [f.kind for f in m.attachments]) for m in bot.intake.accepted]
    assert seen == [
        ("look", False, ["image"]), ("what is it?", True, ["image"]), ("and this?", True, ["image"]),
        ("", False, ["other"]), ("why?", True, []),
    ]  # fmt: skip


@pytest_asyncio.fixture
async def sender(fake: FakeTelegram, store: Store, keys: BotKeys) -> AsyncGenerator[TelegramSender]:
    async with sending(fake, store, keys) as made:
        yield made


async def test_a_file_is_fetched(fake: FakeTelegram, sender: TelegramSender) -> None:
    assert isinstance(sender, Fetches)
    await fake.upload("f", b"content")
    assert await sender.fetch(ADDRESS, {"file_id": "f"}, 7) == b"content"
    with pytest.raises(TooLarge):
        await sender.fetch(ADDRESS, {"file_id": "f"}, 6)
    await fake.upload("large", bytes((20 << 20) + 1))
    with pytest.raises(TooLarge):
        await sender.fetch(ADDRESS, {"file_id": "large"}, 1 << 30)
    with pytest.raises(Rejected):
        await sender.fetch(ADDRESS, {"file_id": "gone"}, 100)


async def test_a_file_longer_than_was_said_is_not_read_to_its_end(fake: FakeTelegram, sender: TelegramSender) -> None:
    async def tiny(_: object) -> Json:
        return {"file_id": "f", "file_unique_id": "u", "file_path": "f", "file_size": 1}

    await fake.upload("f", bytes(3_000_000))
    fake.add_method("getFile", tiny)
    with pytest.raises(TooLarge):
        await sender.fetch(ADDRESS, {"file_id": "f"}, 1_000_000)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "answer", "status": 502}, NotSent),
        ({"kind": "close_before", "count": 5}, NotSent),
        ({"kind": "answer", "status": 404}, Rejected),
        ({"kind": "answer", "status": 302, "headers": {"Location": "http://127.0.0.1:1/secret"}}, Rejected),
    ],
)
async def test_the_token_is_in_no_error(
    fake: FakeTelegram, sender: TelegramSender, fault: Json, error: type[SendError]
) -> None:
    await fake.upload("f", b"content")
    await fake.inject("file", **fault)
    with pytest.raises(error) as raised:
        await sender.fetch(ADDRESS, {"file_id": "f"}, 100)
    assert fake.token not in f"{raised.value!r} {raised.value.__context__!r} {raised.value.__cause__!r}"


async def test_a_server_with_files_on_its_own_disk_is_told_from_others(
    fake: FakeTelegram, sender: TelegramSender
) -> None:
    async def local(_: object) -> Json:
        return {"file_id": "f", "file_unique_id": "u", "file_path": "/var/lib/telegram-bot-api/f"}

    fake.add_method("getFile", local)
    with pytest.raises(Rejected, match="--local"):
        await sender.fetch(ADDRESS, {"file_id": "f"}, 100)
