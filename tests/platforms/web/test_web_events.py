"""Messages on their way to open pages: order, resume, replicas, and what the stream keeps."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import AsyncExitStack

import pytest

from gptbot.http.server import HttpServer
from gptbot.inbox.store import Store
from gptbot.platforms.base import Forgets
from gptbot.platforms.inbound import Inbound
from gptbot.platforms.web.entries import CAP, Entry
from gptbot.platforms.web.hub import PAGES_PER_SESSION, Hub
from gptbot.platforms.web.sender import WebSender
from tests.platforms.web.conftest import Browser, after, make_browser
from tests.platforms.web.scene import bot, running, scene
from tests.platforms.web.sse import events


async def spell(sender: WebSender, message: Inbound) -> None:
    """Answer word by word, as a worker does."""
    await sender.typing(message.address)
    words = f"**You** said: {message.text}".split(" ")
    nonce = f"n-{message.event}"[:25]
    sent = await sender.send(message.address, words[0], nonce=nonce, first=True, final=False)
    for count in range(2, len(words)):
        await sender.edit(message.address, sent, " ".join(words[:count]), final=False)
    await sender.edit(message.address, sent, " ".join(words), final=True)


async def test_question_and_answer_arrive_in_order(store: Store, browser: Browser) -> None:
    async with scene(store, answer=spell) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        async with events(browser.http, page, after(html)) as stream:
            answer = await browser.say(page, "one two three")
            assert answer["accepted"] is True
            final = await stream.message("said: one two three</p>")
        kinds = [event.name for event in stream.seen if event.name != "ping"]
        assert kinds[0] == "message"
        assert stream.seen[1].data == {"id": answer["id"], "html": answer["html"]}
        assert kinds[-1] == "message"
        assert "<strong>You</strong> said: one two three" in final.data["html"]
        positions = [tuple(map(int, event.id.split("-"))) for event in stream.seen]
        assert positions == sorted(positions)
        assert stage.reports == [(True, "")]


async def test_message_is_shown_while_it_is_written(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        address = stage.address(browser.cookie(page))
        async with events(browser.http, page, after(html)) as stream:
            await stage.sender.typing(address)
            await stream.until(lambda event: event.name == "typing")
            await stage.sender.send(address, "# Head\n\nfirst **bo", nonce="m1", first=True, final=False)
            first = await stream.until(lambda event: event.name == "live")
            assert first.data["from"] == 0
            assert first.data["blocks"] == ['<h1 dir="auto">Head</h1>\n']
            assert first.data["tail"] == '<p dir="auto">first <strong>bo</strong></p>\n'
            assert 'class="message bot"' in first.data["frame"]
            await stage.sender.edit(address, "m1", "# Head\n\nfirst **bold** word\n\nsecond", final=False)
            second = await stream.until(lambda event: event.name == "live")
            assert (second.data["from"], "frame" in second.data) == (1, False)
            assert second.data["blocks"] == ['<p dir="auto">first <strong>bold</strong> word</p>\n']
            assert second.data["tail"] == '<p dir="auto">second</p>\n'
            await stage.sender.edit(address, "m1", "all different", final=False)
            third = await stream.until(lambda event: event.name == "live")
            assert (third.data["from"], third.data["blocks"], third.data["tail"]) == (
                0,
                [],
                '<p dir="auto">all different</p>\n',
            )
        reloaded = await browser.load(page)
        assert reloaded.index('id="live"') < reloaded.index("all different")
        await stage.sender.edit(address, "m1", "done", final=True)
        reloaded = await browser.load(page)
        assert reloaded.index('id="log"') < reloaded.index('<p dir="auto">done</p>') < reloaded.index('id="live"')
        assert "all different" not in reloaded


async def test_resume_by_last_event_id_loses_and_repeats_nothing(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        address = stage.address(browser.cookie(page))
        async with events(browser.http, page, after(html)) as stream:
            await stage.sender.send(address, "before", nonce="a", first=True, final=True)
            last = (await stream.message("before")).id
        for number in range(3):
            await stage.sender.send(address, f"while away {number}", nonce=f"b{number}", first=True, final=True)
        async with events(browser.http, page, after(html), **{"Last-Event-ID": last}) as stream:
            await stage.sender.send(address, "after", nonce="c", first=True, final=True)
            await stream.message("after")
        texts = [re.sub("<[^>]+>", "", event.data["html"]) for event in stream.seen if event.name == "message"]
        assert [text.removeprefix("Appliance store").strip() for text in texts] == [
            "while away 0", "while away 1", "while away 2", "after",
        ]  # fmt: skip


async def test_any_replica_serves_a_session(store: Store, browser: Browser) -> None:
    async with scene(store, answer=spell) as stage:
        one, two = await stage.replica(), await stage.replica()
        html = await browser.load(one)
        async with events(browser.http, two, after(html)) as at_two, events(browser.http, one, after(html)) as at_one:
            await browser.say(one, "hello there")
            for stream in (at_one, at_two):
                await stream.until(lambda event: event.name == "message" and "said: hello there" in event.data["html"])
        assert "said: hello there" in await browser.load(two)


async def test_same_nonce_again_is_the_same_message(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        await browser.load(page)
        address = stage.address(browser.cookie(page))
        for text in ("half", "half a thought"):
            sent = await stage.sender.send(address, text, nonce="once", first=True, final=False)
        await stage.sender.edit(address, sent, "a whole thought", final=True)
        await stage.sender.edit(address, sent, "a whole thought", final=True)
        html = await browser.load(page)
        assert html.count('class="message bot"') == 1
        assert html.count("thought") == 1


async def test_many_pages_share_one_blocking_connection(store: Store, browser: Browser) -> None:
    async def readers() -> list[bytes]:
        clients: bytes = await store.command("CLIENT", "LIST", "TYPE", "normal")
        return [line for line in clients.splitlines() if b"cmd=xread " in line and b"flags=b" in line]

    async with scene(store) as stage, make_browser() as other:
        page = await stage.replica()
        before = len(await readers())  # nobody looks yet: no connection is held
        html, other_html = await browser.load(page), await other.load(page)
        async with (
            events(browser.http, page, after(html)) as one,
            events(browser.http, page, after(html)) as two,
            events(other.http, page, after(other_html)) as three,
        ):
            async with asyncio.timeout(10):
                while len(await readers()) != before + 1:
                    pass
            for who, text, streams in ((browser, "for one", (one, two)), (other, "for another", (three,))):
                await stage.sender.send(stage.address(who.cookie(page)), text, nonce=text, first=True, final=True)
                for stream in streams:
                    await stream.message(text)
            assert len(await readers()) <= before + 1
        assert not [event for event in three.seen if "for one" in event.data.get("html", "")]


async def test_a_reader_that_is_slow_skips_outdated_states(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        address = stage.address(browser.cookie(page))
        for number in range(50):
            await stage.sender.send(address, "word " * number, nonce="long", first=True, final=False)
        async with events(browser.http, page, after(html)) as stream:
            await stage.sender.edit(address, "long", "the end", final=True)
            await stream.message("the end")
        assert len([event for event in stream.seen if event.name == "live"]) <= 1


async def test_an_old_state_that_is_read_late_does_not_hide_the_end(
    store: Store, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        address = stage.address(browser.cookie(page))
        await stage.sender.send(address, "half", nonce="long", first=True, final=False)
        async with events(browser.http, page, after(html)) as open_before:
            history = Hub.history

            async def late(hub: Hub, session: str, start: str = "") -> list[Entry]:
                found = await history(hub, session, start)
                await stage.sender.edit(address, "long", "the end", final=True)
                await open_before.message("the end")  # so the new page has it too
                return found

            monkeypatch.setattr(Hub, "history", late)
            async with events(browser.http, page, after(html)) as stream:
                event = await stream.until(lambda event: event.name in ("live", "message"))
                assert event.name == "message"
                assert "the end" in event.data["html"]


async def test_stream_is_capped_and_expires(store: Store, browser: Browser) -> None:
    config = bot(context={"ttl": "2h"}, privacy={"retention": "1h"})
    async with scene(store, config) as stage:
        page = await stage.replica()
        await browser.load(page)
        cookie = browser.cookie(page)
        address, key = stage.address(cookie), stage.stream(cookie)
        await stage.sender.typing(address)
        await stage.sender.send(address, "a", nonce="m", first=True, final=False)
        for number in range(30):
            await stage.sender.edit(address, "m", "a" * number, final=False)
        await stage.sender.edit(address, "m", "end", final=True)
        assert await store.command("XLEN", key) == 1  # neither typing nor a half-written state is kept
        assert 3590 <= await store.command("TTL", key) <= 3600
        for number in range(3 * CAP):
            await stage.sender.send(address, f"message {number}", nonce=f"n{number}", first=True, final=True)
        assert CAP <= await store.command("XLEN", key) <= CAP + 100
        html = await browser.load(page)
        assert f"message {3 * CAP - 1}<" in html
        assert "message 0<" not in html


async def test_old_typing_is_not_shown(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        cookie = browser.cookie(page)
        long_ago = f"{int(time.time() * 1000) - 60_000}-0"
        await store.command("XADD", stage.stream(cookie), long_ago, "k", "typing", "i", "", "t", "", "f", "1")
        async with events(browser.http, page, after(html)) as stream:
            await stage.sender.send(stage.address(cookie), "now", nonce="m", first=True, final=True)
            await stream.message("now")
        assert "typing" not in [event.name for event in stream.seen]


async def test_new_conversation_ends_the_old_one_everywhere(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        await browser.say(page, "a secret plan")
        old = browser.cookie(page)
        async with events(browser.http, page, after(html)) as stream:
            async with browser.http.post(f"{page}new") as response:
                assert [step.headers["Location"] for step in response.history] == ["./#message"]
                assert response.status == 200
                assert "a secret plan" not in await response.text()
            await stream.until(lambda event: event.name == "end")
        assert browser.cookie(page) != old
        assert stage.desk.forgotten == [message.conversation for message in stage.desk.received]
        assert "secret plan" not in str(await store.command("XRANGE", stage.stream(old), "-", "+"))
        assert 0 < await store.command("TTL", stage.stream(old)) <= 60


async def test_forgetting_deletes_what_the_page_shows(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        page = await stage.replica()
        html = await browser.load(page)
        await browser.say(page, "a secret plan")
        cookie = browser.cookie(page)
        assert isinstance(stage.sender, Forgets)
        async with events(browser.http, page, after(html)) as stream:
            await stage.sender.forget(stage.address(cookie)["session"])
            await stage.sender.send(stage.address(cookie), "Forgotten.", nonce="m", first=True, final=True)
            await stream.until(lambda event: event.name == "end")
        assert "secret plan" not in str(await store.command("XRANGE", stage.stream(cookie), "-", "+"))
        html = await browser.load(page)
        assert browser.cookie(page) == cookie
        assert '<p dir="auto">Forgotten.</p>' in html
        assert "secret plan" not in html


async def test_server_that_stops_ends_open_streams_cleanly_and_soon(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        gateway = stage.gateway()
        server = HttpServer("127.0.0.1", 0, {stage.config.key: gateway.routes()})
        async with running(gateway.run()), running(server.serve()) as task:
            page = f"http://127.0.0.1:{await server.started()}/"
            html = await browser.load(page)
            async with events(browser.http, page, after(html)) as stream:
                begun = time.monotonic()
                task.cancel()
                assert await stream.next() is None  # an end, not a broken connection
                await asyncio.wait({task})
                assert time.monotonic() - begun < 3


async def test_gateway_that_stops_ends_open_streams(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        gateway = stage.gateway()
        server = HttpServer("127.0.0.1", 0, {stage.config.key: gateway.routes()})
        async with running(gateway.run()) as task, running(server.serve()):
            page = f"http://127.0.0.1:{await server.started()}/"
            html = await browser.load(page)
            async with events(browser.http, page, after(html)) as stream:
                task.cancel()
                assert await stream.next() is None


async def test_events_wait_for_a_gateway_that_runs(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        server = HttpServer("127.0.0.1", 0, {stage.config.key: stage.gateway().routes()})
        async with running(server.serve()):
            page = f"http://127.0.0.1:{await server.started()}/"
            async with browser.http.get(f"{page}events") as response:
                assert response.status == 401
            await browser.load(page)
            async with browser.http.get(f"{page}events") as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "5")


async def test_a_session_has_a_limit_of_pages(store: Store, browser: Browser) -> None:
    async with scene(store) as stage, AsyncExitStack() as stack:
        page = await stage.replica()
        await browser.load(page)
        for _ in range(PAGES_PER_SESSION):
            await stack.enter_async_context(events(browser.http, page))
        async with browser.http.get(f"{page}events") as response:
            assert response.status == 429
        await stack.aclose()
        async with asyncio.timeout(10):
            while True:  # the server learns by itself that the pages are gone
                async with browser.http.get(f"{page}events") as response:
                    if response.status == 200:
                        return
