"""Files that are posted: what the bot is told of them, what the store has, and for how long."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.base import Fetches, Forgets, Releases
from gptbot.platforms.errors import Rejected, TooLarge
from gptbot.platforms.inbound import Attachment, Verdict
from gptbot.platforms.web.files import LASTS, MOST_OF_SESSION, Files, Full
from gptbot.platforms.web.multipart import MultipartReader, Part
from tests.files.pictures import SECRET, jpeg
from tests.platforms.web.conftest import Browser
from tests.platforms.web.scene import Scene, bot, scene
from tests.process.residue import Kept, dump, kind

JSON = {"Accept": "application/json"}
SEES = {"llm": {"baseUrl": "http://127.0.0.1:1/v1", "model": "m", "vision": True}}


def form(text: str = "", *files: tuple[str, str, bytes], **fields: str) -> aiohttp.FormData:
    data = aiohttp.FormData()
    for name, value in {"text": text, "id": "message-1", **fields}.items():
        data.add_field(name, value, content_type="text/plain")
    for name, mime, content in files:
        data.add_field("file", content, filename=name, content_type=mime)
    return data


async def post(browser: Browser, page: str, data: aiohttp.FormData) -> tuple[int, dict[str, Any]]:
    async with browser.http.post(f"{page}message", data=data, headers=JSON) as response:
        return response.status, await response.json()


async def kept(stage: Scene) -> list[Kept]:
    return [each for each in await dump(stage.store) if each.key.startswith(stage.keys.prefix)]


async def test_what_the_bot_is_told_and_what_the_store_has(store: Store, browser: Browser) -> None:
    async with scene(store, bot(**SEES)) as stage:
        page = await stage.replica()
        await browser.load(page)
        code = b"\xef\xbb\xbf# ada@example.org\nprint()"
        status, answer = await post(browser, page, form(
            "look", ("Ada Lovelace.jpg", "image/jpeg", jpeg(orientation=6)), ("ada.py", "", code),
            ("v.ogg", "audio/ogg", b"OggS"), ("large.png", "image/png", bytes(5_000_001)),
            ("broken.gif", "image/gif", b"x"),
        ))  # fmt: skip
        assert (status, answer["accepted"]) == (200, True)
        assert re.findall("<li>(.*?)</li>", answer["html"]) == ["Image", "Text file", "Recording", "Image", "Image"]
        [message] = stage.desk.received
        assert message.attachments[1] == Attachment(
            kind="text", mime="text/python", size=len(code), reference={"file": "message-1.1"}
        )
        assert [file.kind for file in message.attachments] == ["image", "text", "audio", "image", "image"]
        assert isinstance(stage.sender, Fetches)

        async def fetched(number: int, limit: int = 1000) -> bytes:
            return await stage.sender.fetch(message.address, message.attachments[number].reference, limit)

        assert (await fetched(0)).startswith(b"\xff\xd8")
        assert await fetched(1) == b"# [email]\nprint()"
        with pytest.raises(TooLarge):
            await fetched(1, 16)
        assert await fetched(1, 17)
        for unread in (2, 3):  # nobody listens here, and too large
            with pytest.raises(Rejected):
                await fetched(unread)
        assert await fetched(4) == b"\0", "what is no picture is no picture when it is read"
        found = await kept(stage)
        for words in (SECRET, b"Lovelace", b"ada@example"):
            assert not any(words in value for each in found for value in each.values)
        files = [each for each in found if kind(each.key).startswith("p:web:file")]
        assert len(files) == 4
        assert all(each.ttl is not None and 0 < each.ttl <= LASTS for each in files)
        # Once it is answered, nothing of them is left.
        assert isinstance(stage.sender, Releases)
        await stage.sender.release(message.address, [file.reference for file in message.attachments])
        assert not any(kind(each.key).startswith("p:web:file") for each in await kept(stage))


async def test_they_go_with_their_conversation(store: Store, browser: Browser) -> None:
    async with scene(store, bot(**SEES)) as stage:
        page = await stage.replica()
        await browser.load(page)
        for leave in ("forget", "new"):
            await post(browser, page, form("", ("a.txt", "text/plain", b"marmalade"), id=f"message-{leave}"))
            assert any(each.holds("marmalade") for each in await kept(stage))
            if leave == "new":
                await browser.http.post(f"{page}new")
            else:
                assert isinstance(stage.sender, Forgets)
                await stage.sender.forget(stage.desk.received[-1].address["session"])
            assert not any(kind(each.key).startswith("p:web:file") for each in await kept(stage))


async def test_of_a_message_that_is_refused_nothing_is_kept(store: Store, browser: Browser) -> None:
    async with scene(store, bot(**SEES)) as stage:
        page = await stage.replica()
        await browser.load(page)
        stage.desk.verdict = Verdict("access-denied")
        status, _ = await post(browser, page, form("look", ("a.txt", "text/plain", b"marmalade")))
        assert status == 422
        assert not any(each.holds("marmalade") for each in await kept(stage))
        stage.desk.verdict = Verdict()
        status, answer = await post(browser, page, form("  "))
        assert (status, answer["error"]) == (400, "Write something first.")
        headers = JSON | {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(MOST_OF_SESSION * 2)}
        async with browser.http.post(f"{page}message", headers=headers) as response:
            assert response.status == 413
            assert (await response.json())["error"].startswith("These files are too large together; 25 MB fit")


async def test_without_a_script_a_form_with_files_works_too(store: Store, browser: Browser) -> None:
    async with scene(store, bot(**SEES)) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        assert 'id="composer" method="post" action="message" enctype="multipart/form-data"' in html
        # A browser posts a field for files that were not chosen as one without a name.
        for number, name in enumerate(("", "a.txt")):
            data = form("hello", (name, "application/octet-stream", b"of it" if name else b""), id=f"message-{number}")
            async with browser.http.post(f"{page}message", data=data) as response:
                assert [step.status for step in response.history] == [303]
        assert [len(message.attachments) for message in stage.desk.received] == [0, 1]


async def test_there_is_room_for_so_much_and_no_more(store: Store, keys: BotKeys) -> None:
    files = Files(store, keys)
    large = bytes(range(256)) * 39_063  # ten million bytes, in many pieces
    await files.keep("ann", {"1": large, "2": large})
    with pytest.raises(Full):
        await files.keep("ann", {"3": large})
    await files.keep("ann", {"2": large})  # the same again takes its own place
    for session in ("bob", "eve"):
        await files.keep(session, {"1": large, "2": large})
    with pytest.raises(Full):
        await files.keep("sue", {"1": large})
    assert await files.read("ann", "1", len(large)) == large
    assert await files.read("ann", "1", 5) == large[:6]
    assert await files.read("ann", "none", 5) is None
    await files.drop("ann")
    await files.keep("sue", {"1": large})
    for session in ("bob", "eve", "sue"):
        await files.drop(session)
    assert [each for each in await dump(store) if each.key.startswith(keys.prefix)] == []


def parse(body: bytes, content_type: str) -> list[Part]:
    reader = MultipartReader(content_type)
    reader.feed(body)
    return reader.close()


BODY = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\na --b is\r\nno end\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (BODY, "multipart/form-data"),
        (BODY[:-5], "multipart/form-data; boundary=b"),
        (b"rubbish" + BODY, "multipart/form-data; boundary=b"),
        (BODY.replace(b"form-data", b"attachment"), "multipart/form-data; boundary=b"),
        (b"--b\r\nno headers\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (b"--b\r\n\xff: x\r\n\r\n\r\n--b--", "multipart/form-data; boundary=b"),
        (b"--b" + b"\r\n\r\n\r\n--b" * 100 + b"--", "multipart/form-data; boundary=b"),
        (b"", "multipart/form-data; boundary=b"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(ValueError):
        parse(body, content_type)


@given(st.binary(max_size=200), st.text(max_size=40))
def test_whatever_is_posted_is_read_or_refused(content: bytes, header: str) -> None:
    head = f'Content-Disposition: form-data; name="file"; filename="{header}"\r\nContent-Type: {header}\r\n\r\n'
    for body in (content, b"--b\r\n" + content + b"\r\n--b--", b"--b\r\n" + head.encode() + content + b"\r\n--b--"):
        with suppress(ValueError):
            assert all(isinstance(part.filename, str | None) for part in parse(body, "multipart/form-data; boundary=b"))


def test_a_form_is_read_as_browsers_post_it() -> None:
    [part] = parse(BODY, "multipart/form-data; boundary=b")
    assert (part.name, part.filename, part.content) == ("text", None, b"a --b is\r\nno end")
    file = (
        '--b\r\nContent-Disposition: form-data; name="file"; filename="Анна %22;.txt"\r\n'
        "Content-Type: text/plain\r\n\r\n\r\n--b--\r\n"
    ).encode()
    [part] = parse(file, 'multipart/form-data; boundary="b"')
    assert (part.name, part.mime, part.content) == ("file", "text/plain", b"")
    assert part.filename is not None
    assert part.filename.endswith(".txt")
