"""A bot on the web page: gateways that serve it, and a worker's sender that answers it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp

from gptbot.http.server import HttpServer
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.platforms.base import CommandInfo, GatewayContext, Identity, Leases, SenderContext
from gptbot.platforms.inbound import Hears, Inbound, Verdict
from gptbot.platforms.web import PLATFORM
from gptbot.platforms.web.gateway import WebGateway
from gptbot.platforms.web.sender import WebSender
from gptbot_api import parse

Answer = Callable[[WebSender, Inbound], Awaitable[None]]


def bot(**spec: Any) -> BotConfig:
    """A bot with a web page and a name that no other test uses."""
    document = {
        "apiVersion": "gptbot.dev/v1alpha1",
        "kind": "GptBot",
        "metadata": {"name": f"web-{uuid.uuid4().hex[:12]}", "namespace": "test"},
        "spec": {"platforms": {"web": {"title": "Appliance store"}}, "llm": {"embedded": {}}} | spec,
    }
    return BotConfig(parse(document))


@dataclass
class Desk:
    """Takes messages in and has them answered, one after the other, as a worker would."""

    sender: WebSender
    answer: Answer | None = None
    accepts: bool = True
    verdict: Verdict = field(default_factory=Verdict)
    received: list[Inbound] = field(default_factory=list[Inbound])
    forgotten: list[str] = field(default_factory=list[str])
    _queue: asyncio.Queue[Inbound] = field(default_factory=asyncio.Queue[Inbound])

    async def forget(self, conversation: str) -> None:
        self.forgotten.append(conversation)

    def barred(self, conversation: str, user: str, principals: Sequence[str]) -> Verdict | None:
        return self.verdict if self.verdict.refusal else None

    async def deleted(self, conversation: str, events: Sequence[str]) -> None:
        raise AssertionError("nothing can be deleted on the page")

    async def accept(self, message: Inbound, hears: Hears | None = None) -> bool:
        assert hears is not None, "the page tells a refusal itself"
        await hears(self.verdict)
        if self.verdict.refusal is not None:
            return False
        if message.event not in {known.event for known in self.received}:
            self.received.append(message)
            if self.accepts and self.answer:
                self._queue.put_nowait(message)
        return self.accepts

    async def ready(self) -> None:
        return

    async def work(self) -> None:
        while True:
            message = await self._queue.get()
            assert self.answer
            await self.answer(self.sender, message)


class NoLeases:
    """The page needs no lease: every replica serves it."""

    async def run(self, receiver: str, work: Callable[[], Awaitable[None]]) -> None:
        raise AssertionError("the web page asked for a lease")


@dataclass
class Scene:
    """Everything of one bot in one process."""

    config: BotConfig
    store: Store
    keys: BotKeys
    desk: Desk
    sender: WebSender
    reports: list[tuple[bool, str]]
    _stack: AsyncExitStack
    commands: Sequence[CommandInfo] = ()
    """What the page's menu offers."""

    async def replica(self, port: int = 0) -> str:
        """Start one more gateway and return its page's address."""
        gateway = self.gateway()
        return await self._stack.enter_async_context(serving({self.config.key: gateway}, port))

    def gateway(self) -> WebGateway:
        def report(
            *, connected: bool, reason: str = "", message: str = "", receiver: str = "", of: int = 0,
            identity: Identity | None = None,
        ) -> None:  # fmt: skip
            self.reports.append((connected, message))

        context = GatewayContext(
            bot=self.config, settings=self.config.bot.spec.platforms.enabled()["web"], intake=self.desk,
            leases=cast(Leases, NoLeases()), report=report, commands=self.commands, store=self.store, keys=self.keys,
        )  # fmt: skip
        return cast(WebGateway, PLATFORM.gateway(context))

    def address(self, cookie: str) -> dict[str, Any]:
        """Where answers to the browser with this cookie go."""
        return {"session": self.keys.pseudonym("web", "conversation", cookie)}

    def stream(self, cookie: str) -> str:
        """Key of the stream of the browser with this cookie."""
        return self.keys.platform("web", f"session:{self.address(cookie)['session']}")


@asynccontextmanager
async def scene(store: Store, config: BotConfig | None = None, answer: Answer | None = None) -> AsyncGenerator[Scene]:
    """A bot whose answers `answer` writes; gateways are started by `replica`."""
    config = config or bot()
    keys = BotKeys(config.key, b"p" * 32)
    async with aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        settings = config.bot.spec.platforms.enabled()["web"]
        context = SenderContext(bot=config, settings=settings, http=http, store=store, keys=keys)
        sender = cast(WebSender, PLATFORM.sender(context))
        desk = Desk(sender, answer)
        async with running(desk.work()):
            yield Scene(config, store, keys, desk, sender, [], stack)
            await stack.aclose()


@asynccontextmanager
async def serving(gateways: dict[str, WebGateway], port: int = 0) -> AsyncGenerator[str]:
    """Serve gateways on one port; the address is the server's root."""
    server = HttpServer("127.0.0.1", port, {key: gateway.routes() for key, gateway in gateways.items()})
    async with AsyncExitStack() as stack:
        for gateway in gateways.values():
            await stack.enter_async_context(running(gateway.run()))
        await stack.enter_async_context(running(server.serve()))
        yield f"http://127.0.0.1:{await server.started()}/"


@asynccontextmanager
async def running(work: Any) -> AsyncGenerator[asyncio.Task[None]]:
    """Run something beside the test; what it raises by itself, the test raises."""
    task: asyncio.Task[None] = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
