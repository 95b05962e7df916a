"""The server of a process: ports, several bots, and what a worker does not import."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest
from yarl import URL

from gptbot.http.server import CannotListen, HttpServer
from gptbot.inbox.store import Store
from tests.platforms.web.conftest import Browser
from tests.platforms.web.scene import scene, serving


async def test_port_in_use_says_which_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = HttpServer("127.0.0.1", port, {})
        serving_task = asyncio.create_task(server.serve())
        for waiting in (server.started(), serving_task):
            with pytest.raises(CannotListen) as caught:
                await waiting
            assert str(caught.value) == (
                f"port {port} of 127.0.0.1 is in use by another program: stop that, or choose another with --http-port"
            )


async def test_address_of_another_machine() -> None:
    with pytest.raises(CannotListen, match="this machine has no such address"):
        await HttpServer("192.0.2.1", 0, {}).serve()


async def test_stopping_frees_the_port(store: Store, browser: Browser) -> None:
    async with scene(store) as stage:
        async with serving({stage.config.key: stage.gateway()}) as page:
            await browser.load(page)
        port = int(page.rstrip("/").rpartition(":")[2])
        async with serving({stage.config.key: stage.gateway()}, port) as again:
            assert again == page
            await browser.load(again)


async def test_several_bots_live_on_one_port(store: Store, browser: Browser) -> None:
    async with (
        scene(store) as one,
        scene(store) as two,
        serving({one.config.key: one.gateway(), two.config.key: two.gateway()}) as root,
    ):
        html = await browser.load(root)
        cookies: list[str] = []
        for stage in (one, two):
            assert f'<a href="{stage.config.key}/">{stage.config.key}</a>' in html
            page = f"{root}{stage.config.key}/"
            await browser.load(page)
            await browser.say(page, f"to {stage.config.bot.metadata.name}")
            assert [message.text for message in stage.desk.received] == [f"to {stage.config.bot.metadata.name}"]
            cookies.append(browser.cookie(page))
            async with browser.http.get(page.rstrip("/")) as response:
                assert str(response.url) == page
        assert len(set(cookies)) == 2
        assert not browser.http.cookie_jar.filter_cookies(URL(root))


def test_worker_half_is_light() -> None:
    code = (
        "import sys; from gptbot.platforms.registry import platform; p = platform('web');"
        "light = {'starlette', 'uvicorn', 'sse_starlette', 'pyromark', 'nh3', 'fluent', 'gptbot_api', 'redis'};"
        "assert not light & set(sys.modules), light & set(sys.modules);"
        "import gptbot.platforms.web.sender;"
        "heavy = {'starlette', 'uvicorn', 'sse_starlette', 'pyromark', 'nh3', 'fluent', 'anyio'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
