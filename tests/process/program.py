"""Starts real `gptbot` processes and a Valkey that can be stopped, and waits for what they say of themselves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import yaml

from gptbot.embedded.valkey import find_binary
from gptbot.inbox.store import Store
from gptbot_api.store_rights import rules, user_name
from gptbot_api.store_url import login_as
from tests.ports import free_port

BOT = "default/bot"
PEPPER = "a pepper for tests, long enough to be one"
PASSWORD = "store-password-of-tests"


async def until(condition: Callable[[], Any], timeout: float = 60.0) -> Any:
    """Wait until the condition gives something true, and return that."""
    async with asyncio.timeout(timeout):
        while True:
            if found := condition():
                return found
            await asyncio.sleep(0.02)


class Program:
    """One `gptbot` process."""

    def __init__(self, process: asyncio.subprocess.Process, metrics_port: int) -> None:
        self.process = process
        self.metrics_port = metrics_port
        self.lines: list[dict[str, Any]] = []
        self.raw = bytearray()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr
        async for line in self.process.stderr:
            self.raw += line
            with contextlib.suppress(orjson.JSONDecodeError):
                self.lines.append(orjson.loads(line))

    def said(self, event: str, **fields: Any) -> dict[str, Any] | None:
        """The first log line with that event and those fields."""
        return next(
            (x for x in self.lines if x.get("event") == event and all(x.get(k) == v for k, v in fields.items())), None
        )

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page of the monitoring port; 0 while nobody listens."""
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"http://127.0.0.1:{self.metrics_port}{path}") as answer,
            ):
                return answer.status, await answer.text()
        except aiohttp.ClientError:
            return 0, ""

    async def ready(self, timeout: float = 180.0) -> None:
        """Wait until it is ready. Raises with its log when it ends instead."""
        try:
            async with asyncio.timeout(timeout):
                while (await self.get("/readyz"))[0] != 200:
                    if self.process.returncode is not None:
                        await self._reader
                        raise AssertionError(f"it ended with {self.process.returncode}:\n{self.raw.decode()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"it is not ready: {await self.get('/readyz')}\n{self.raw.decode()}") from None

    async def stop(self, how: signal.Signals = signal.SIGTERM, timeout: float = 35.0) -> int:
        """End it and return its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        async with asyncio.timeout(timeout):
            code = await self.process.wait()
            await self._reader
        return code


@asynccontextmanager
async def program(*arguments: str, store: str = "", env: Mapping[str, str] | None = None) -> AsyncGenerator[Program]:
    """Run `gptbot ARGUMENTS`; killed at the end if it still runs."""
    metrics_port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GPTBOT_")},
        "GPTBOT_PEPPER": PEPPER,
        "GPTBOT_METRICS_PORT": str(metrics_port),
        "GPTBOT_HTTP_PORT": "0",
        **({"GPTBOT_STORE_URL": store} if store else {}),
        **(env or {}),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gptbot", *arguments, stderr=asyncio.subprocess.PIPE, env=environment, limit=1 << 20
    )
    started = Program(process, metrics_port)
    try:
        yield started
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await started._reader


def write_manifest(path: Path, spec: Mapping[str, Any], secrets: Mapping[str, str], name: str = "bot") -> Path:
    """A GptBot and its Secret `NAME` in a file."""
    documents = [
        {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": name}, "spec": spec},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(secrets)},
    ]
    path.write_text(yaml.safe_dump_all(documents))
    return path


class Valkey:
    """A Valkey process at a fixed address, which a test can stop and start. The bot's user has a bot's rights."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = free_port()
        """Where it listens."""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Its address for the bot: with the rights that a bot has, and no others."""
        return login_as(self.admin, user_name(BOT), PASSWORD)

    @property
    def admin(self) -> str:
        """Its address for the test itself."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it on the data it had, and wait until it answers."""
        settings = ["--port", str(self.port), "--bind", "127.0.0.1", "--requirepass", PASSWORD, "--appendonly", "yes",
                    "--appendfsync", "always", "--dir", str(self._directory), "--save", "",
                    "--user", user_name(BOT), *rules(BOT), f">{PASSWORD}"]  # fmt: skip
        self._process = await asyncio.create_subprocess_exec(
            str(find_binary()), *settings, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(20):
            while not await self._answers():
                await asyncio.sleep(0.02)
            async with Store.connect(self.admin) as store:  # gives it the functions, as the operator does
                await store.wait_available()

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            await self._process.wait()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.write(f"AUTH {PASSWORD}\r\nPING\r\n".encode())
        lines = [await reader.readline(), await reader.readline()]
        writer.close()
        return lines == [b"+OK\r\n", b"+PONG\r\n"]
