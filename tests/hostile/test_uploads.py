"""Forms with files that are made to cost much, and uploads that never come to their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gptbot.files.room import GrowingRoom
from gptbot.inbox.store import Store
from gptbot.platforms.web import form, multipart
from gptbot.platforms.web.files import MOST_OF_SESSION
from gptbot.platforms.web.multipart import MOST_HEADERS, MultipartReader, Part, boundary_of, options
from tests.hostile import inputs
from tests.hostile.fragments import fragments, patterns
from tests.hostile.growth import MOST_GROWTH, Call, measured, worst
from tests.hostile.inputs import Hostile
from tests.platforms.web.conftest import Browser, make_browser
from tests.platforms.web.scene import scene

_HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
_TYPE = "multipart/form-data; boundary=b"
_BODY = 256 * 1024
_PATIENCE = 30.0
"""Seconds after which what waits would wait for ever."""


def _read(body: bytes, cuts: list[int] | None = None) -> list[Part]:
    reader, start = MultipartReader(_TYPE), 0
    for cut in [*sorted(cuts or []), len(body)]:
        reader.feed(body[start:cut])
        start = max(start, cut)
    return reader.close()


def _refused(call: Call) -> Call:
    def wrapped(text: str) -> object:
        with suppress(ValueError):
            return call(text)
        return None

    return wrapped


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with make_browser() as made:
        yield made


def _in_headers(text: str) -> object:
    return _read(b"--b\r\nContent-Disposition: form-data;" + _bytes(text) + b"\r\n\r\n\r\n--b--")


_READERS: list[tuple[str, Call, int]] = [
    ("content type", lambda text: boundary_of("multipart/form-data; boundary=" + text), 65_536),
    ("parameters", lambda text: options("form-data;" + text), MOST_HEADERS * 8),
    ("body", lambda text: _read(_bytes(text)), _BODY),
    ("headers", _in_headers, _BODY),
    ("file", lambda text: _read(_HEAD + _bytes(text) + b"\r\n--b--"), _BODY),
    ("parts", lambda text: _read((_HEAD + b"\r\n").join([_bytes(text[:4000])] * 64)), 4000),
]  # fmt: skip


@pytest.mark.parametrize(("call", "largest"), [reader[1:] for reader in _READERS], ids=[each[0] for each in _READERS])
def test_reading_a_form_takes_linear_time(call: Call, largest: int) -> None:
    pieces = [piece for pattern in patterns(multipart) for piece in fragments(pattern)]
    edges = ["\r\n--b", "\r\n--bx", "\r\n--b-x", "\r\n--b\rx", "\r\n--b \t", "--b", _HEAD.decode()]
    found = worst(_refused(call), largest, inputs.hostile([inputs.HTTP, edges, pieces], 60))
    assert not [str(growth) for growth in found if growth.ratio > MOST_GROWTH]


@pytest.mark.parametrize("quote", ["", 'x="', 'x="\\"'])
def test_the_headers_that_held_up_everybody(quote: str) -> None:
    boundary = Hostile("boundary", lambda size: 'multipart/form-data; boundary="B"' + quote + ";" * size)
    assert measured(_refused(boundary_of), 60_000, boundary).ratio <= MOST_GROWTH
    with pytest.raises(ValueError, match="too long"):
        boundary_of(boundary.make(60_000))
    headers = Hostile("headers", lambda size: "".join(
        f'--b\r\nContent-Disposition: form-data; name="a"; {quote}{";" * (size // 60)}\r\n\r\nx\r\n' for _ in range(60)
    ) + "--b--")  # fmt: skip
    assert measured(lambda text: MultipartReader(_TYPE).feed(text.encode()), 60 * 3900, headers).ratio <= MOST_GROWTH


@pytest.mark.parametrize(
    "body",
    [
        _HEAD + b"\r\n--b\r\nX: " + b"x" * MOST_HEADERS + b"\r\n\r\n",
        b"--b\r\n" + b"X: y\r\n" * 100 + b"\r\n",
        (_HEAD + b"x\r\n") * 65 + b"--b--",
    ],
)
def test_what_is_beyond_the_bounds_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"form|large|parts"):
        _read(body)


_PIECES = [
    b"--b\r\n", b"\r\n--b\r\n", b"\r\n--b--", b"--b--", b"\r\n", b"\r", b"\n", b"-", b"--", b"b", b" ", b":", b";",
    b"\0", b"Content-Disposition: form-data", b'; name="a"', b'; filename="a;\\"b', b"; filename*=UTF-8''%D0%90.txt",
    b"\xff", b"Content-Type: text/plain\r\n", _HEAD,
]  # fmt: skip
_bodies = st.lists(st.sampled_from(_PIECES) | st.binary(max_size=8), max_size=24).map(b"".join)


def _outcome(body: bytes, cuts: list[int] | None = None) -> list[Part] | None:
    try:
        return _read(body, cuts)
    except ValueError:
        return None


@given(_bodies, st.booleans(), st.lists(st.integers(0, 400), max_size=12))
def test_however_a_body_is_cut_the_same_is_read(body: bytes, whole: bool, cuts: list[int]) -> None:
    if whole:
        body = _HEAD + body + b"\r\n--b--\r\n"
    expected = _outcome(body)
    assert _outcome(body, cuts) == expected
    assert _outcome(body, list(range(len(body)))) == expected


@given(st.text(max_size=300))
def test_any_content_type_is_read_or_refused(text: str) -> None:
    for header in (text, "multipart/form-data;" + text, "multipart/form-data; boundary=" + text):
        with suppress(ValueError):
            assert 1 <= len(boundary_of(header)) <= 70


@pytest.mark.parametrize(
    ("header", "filename"),
    [
        ("filename*=UTF-8''%D0%90%D0%BD.txt", "Ан.txt"),
        ("filename=\"a.txt\"; filename*=utf-8'ru'%D0%90.txt", "А.txt"),
        ("filename*=iso-8859-1'en'%E9.txt", "é.txt"),
        ("filename=\"a.txt\"; filename*=bogus''%E9.txt", "a.txt"),
        ('filename="a;b;c.txt"', "a;b;c.txt"),
        ('filename="a\\"b.txt"', 'a"b.txt'),
        ("filename=\"; filename*=utf-8''b.txt\"", "; filename*=utf-8''b.txt"),
        ('filename=""', ""),
        ("name2=x", None),
    ],
)
def test_names_of_files(header: str, filename: str | None) -> None:
    body = f'--b\r\nContent-Disposition: form-data; name="file"; {header}\r\n\r\nx\r\n--b--'
    assert _read(body.encode()) == [Part("file", filename, "text/plain", b"x")]


async def _ran(*tasks: asyncio.Task[None]) -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_small_ones_have_a_reserve_and_the_oldest_large_one_grows() -> None:
    room = GrowingRoom(100, largest=50, small=10, reserve=20, uncounted=2)
    with room.hold() as first, room.hold() as second, room.hold() as small:
        await room.grow(first, 30)
        await room.grow(second, 30)
        async with asyncio.timeout(_PATIENCE), asyncio.TaskGroup() as group:
            waiting = group.create_task(room.grow(second, 20))
            await _ran()
            assert not waiting.done(), "else the first could not come to its end"
            await room.grow(first, 20)
            await room.grow(small, 10)
            with room.hold() as third:
                late = group.create_task(room.grow(third, 40))
                await _ran()
                assert not late.done()
                late.cancel()
            with room.hold() as other:
                await room.grow(other, 10)
            waiting.cancel()
    with room.hold() as last, room.hold() as small:
        await room.grow(last, 50)
        await room.grow(small, 10)
    with pytest.raises(ValueError, match="largest"):
        GrowingRoom(60, largest=50, small=10, reserve=20, uncounted=2)


async def test_what_is_let_go_is_given_to_who_waits() -> None:
    room = GrowingRoom(70, largest=50, small=10, reserve=20, uncounted=0)
    async with asyncio.timeout(_PATIENCE), asyncio.TaskGroup() as group:
        with room.hold() as second:
            with room.hold() as first:
                await room.grow(first, 50)
                waiting = group.create_task(room.grow(second, 50))
                await _ran()
                assert not waiting.done()
            await waiting


@asynccontextmanager
async def _upload(page: str, sent: bytes, length: int = MOST_OF_SESSION) -> AsyncGenerator[asyncio.StreamReader]:
    """A request with a form that tells of `length` bytes and sends fewer."""
    port = int(page.rstrip("/").rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /message HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\nContent-Type: {_TYPE}\r\n"
    writer.write(f"{head}Content-Length: {length}\r\n\r\n".encode() + sent)
    await writer.drain()
    try:
        yield reader
    finally:
        writer.close()


async def _post(browser: Browser, page: str, text: str) -> int:
    data = {"text": text, "id": f"message-{text}"}
    body = aiohttp.FormData(data)
    body.add_field("file", b"x" * 5000, filename="a.txt", content_type="text/plain")
    async with browser.http.post(f"{page}message", data=body, headers={"Accept": "application/json"}) as response:
        return response.status


async def test_idle_uploads_hold_up_nobody(store: Store, browser: Browser) -> None:
    async with asyncio.timeout(_PATIENCE), scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        async with _upload(page, b""), _upload(page, b"") as second, _upload(page, b"--b"):
            ended = asyncio.create_task(second.read(1))
            assert await _post(browser, page, "hello") == 200
            assert not ended.done(), "it was taken only when an upload was given up"
            ended.cancel()


async def test_uploads_that_fill_the_room_leave_some_to_small_forms(
    store: Store, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = GrowingRoom(400_000, largest=300_000, small=20_000, reserve=50_000, uncounted=1000)
    monkeypatch.setattr(form, "_ROOM", room)
    monkeypatch.setattr(form, "_ROOM_SECONDS", 0.5)
    async with asyncio.timeout(_PATIENCE), scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        half = _HEAD + b"x" * 290_000
        async with _upload(page, half), _upload(page, half) as second:
            assert b" 503 " in await second.readline(), "it waits for room that never comes"
            assert await _post(browser, page, "hello") == 200


async def test_an_upload_that_takes_too_long_is_told_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "_UPLOAD_SECONDS", 0.2)
    async with asyncio.timeout(_PATIENCE), scene(store) as stage, _upload(await stage.replica(), _HEAD) as reader:
        assert b" 408 " in await reader.readline()


async def test_a_body_of_unknown_size_is_bounded_too(
    store: Store, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form, "_MAX_UPLOAD", 100_000)
    async with asyncio.timeout(_PATIENCE), scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)

        async def body() -> AsyncGenerator[bytes]:
            yield _HEAD
            for _ in range(200):
                yield b"x" * 1000

        headers = {"Accept": "application/json", "Content-Type": _TYPE}
        async with browser.http.post(f"{page}message", data=body(), headers=headers) as response:
            assert response.status == 413


async def test_a_text_that_is_as_large_as_a_file_is_refused(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        data = aiohttp.FormData()
        data.add_field("text", "x" * 1_000_000, content_type="text/plain")
        data.add_field("file", b"", filename="", content_type="text/plain")
        async with browser.http.post(f"{page}message", data=data, headers={"Accept": "application/json"}) as answer:
            assert answer.status == 413
