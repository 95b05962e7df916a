"""A process: its bots, the stores and the HTTP client they share, its roles, and an orderly end.

What is global to the process is here and nowhere else: the stores' connections, the HTTP client, the probes of models,
the ports.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from gptbot import locales
from gptbot.bot import Bot, endpoints
from gptbot.inbox.mailbox import TURN_LEASE
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.telemetry import metrics, watchdog
from gptbot.telemetry.health import monitoring
from gptbot.telemetry.logs import get_logger
from gptbot.worker import Worker
from gptbot_api import Fault, InvalidManifest
from gptbot_api.defaults import NO_MODEL
from gptbot_api.listening import EVERYWHERE
from gptbot_api.store_faults import MEMORY_FULL

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from gptbot.gateway import Gateway
    from gptbot.http.connections import Limits

log = get_logger("process")

_STORE_INTERVAL = 5.0


@dataclass(kw_only=True)
class Settings:
    """What a process is told by flags and environment, beside the manifests."""

    manifests: Sequence[Path] = ()
    directory: Path | None = None
    """Where referenced Secrets and ConfigMaps are mounted."""
    store_url: str | None = field(default=None, repr=False)
    """Store of bots that name none."""
    model: tuple[str, str] | None = None
    """Base URL and name of the embedded model."""
    model_file: str | None = None
    """`spec.llm.embedded.file` that it was loaded from; None: the model that comes along."""
    pepper: str = field(default="", repr=False)
    """Secret that pseudonyms are made with."""
    turn_lease: float = TURN_LEASE
    """Seconds after which the turns of a worker that has died are taken over."""
    http_host: str = EVERYWHERE
    http_port: int = 8080
    metrics_host: str = EVERYWHERE
    metrics_port: int = 9090
    guards: Sequence[Callable[[], Coroutine[None, None, None]]] = ()
    """Run beside the bots; one that raises ends the process."""
    on_started: Callable[[int], None] | None = None
    """Called with the HTTP port once messages are received."""


async def open_bots(stack: AsyncExitStack, configs: Sequence[BotConfig], settings: Settings) -> list[Bot]:
    """Put the bots together; what they share is closed with `stack`.

    Raises InvalidManifest when a bot has no store or model, or refers to something that is not there.
    """
    http = await stack.enter_async_context(
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60), timeout=aiohttp.ClientTimeout(total=None)
        )
    )
    consumer = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    stores: dict[tuple[str, str], Store] = {}
    bots: list[Bot] = []
    for config in configs:
        url = _store_url(config, settings)
        # In a cluster each bot's slot may be another server's.
        shared = (url, config.key if "+cluster:" in url else "")
        if shared not in stores:
            stores[shared] = await stack.enter_async_context(_connect(url, config))

        def embedded(config: BotConfig = config) -> tuple[str, str]:
            if not config.bot.spec.llm.named:
                raise InvalidManifest([Fault(f"{config.key}: spec.llm", NO_MODEL)])
            if settings.model is None:
                raise InvalidManifest([Fault(f"{config.key}: spec.llm.embedded", _NO_MODEL)])
            if (llm := config.bot.spec.llm.embedded) is not None and llm.file != settings.model_file:
                raise InvalidManifest([Fault(f"{config.key}: spec.llm.embedded.file", _NO_FILE)])
            return settings.model

        model = endpoints(config, embedded)
        bots.append(
            Bot.open(
                config, stores[shared], http, pepper=settings.pepper, consumer=consumer, model=model,
                lease=settings.turn_lease,
            )
        )  # fmt: skip
    return bots


_NO_MODEL = (
    "there is no embedded model here: switch it on in the chart (model.enabled), set GPTBOT_MODEL_URL, "
    "or name an endpoint in spec.llm.baseUrl"
)
_NO_FILE = (
    "the embedded model here is another: files are loaded by `gptbot run` and `gptbot chat` without GPTBOT_MODEL_URL; "
    "elsewhere serve the file with `gptbot model --file`, and name its address in spec.llm.baseUrl"
)
_NO_STORE = "there is no store: set it here, or give the process one with GPTBOT_STORE_URL"


def _store_url(config: BotConfig, settings: Settings) -> str:
    store = config.bot.spec.store
    if store is not None:
        return config.secret(store.url_secret_ref, f"{config.key}: spec.store.urlSecretRef")
    if settings.store_url is None:
        raise InvalidManifest([Fault(f"{config.key}: spec.store", _NO_STORE)])
    return settings.store_url


def _store_source(config: BotConfig) -> str:
    return "GPTBOT_STORE_URL" if config.bot.spec.store is None else "spec.store.urlSecretRef"


def _connect(url: str, config: BotConfig) -> Store:
    try:
        return Store.connect(url, config.key)
    except ValueError as error:
        raise InvalidManifest([Fault(f"{config.key}: {_store_source(config)}", str(error))]) from None


async def serve(configs: Sequence[BotConfig], settings: Settings, *, receive: bool, concurrency: str) -> None:
    """Run bots until SIGTERM or SIGINT, then end in order: receivers give up their leases, turns end.

    `receive`: run gateways too. `concurrency`: whose limit of answers at a time holds, `gateway` or `workers`.
    Raises InvalidManifest before anything is started, and OSError when a port is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        bots = await open_bots(stack, configs, settings)
        # Before anybody is served, and before a loop that stands still is told of: parsing texts takes up to a second.
        locales.prepare()
        gateways = _gateways(bots) if receive else []
        sites = _sites(gateways)
        stack.enter_context(watchdog.watch())
        started = False

        def ready() -> str | None:
            if not started:
                return "starting"
            return next((bot.store.trouble for bot in bots if bot.store.trouble), None)

        await stack.enter_async_context(monitoring(settings.metrics_host, settings.metrics_port, ready))
        limits = [(bot, getattr(bot.config.bot.spec, concurrency).concurrency) for bot in bots]
        workers = [Worker(bot, limit) for bot, limit in limits if limit]
        async with asyncio.TaskGroup() as group:
            answering = [group.create_task(worker.run(), name="worker") for worker in workers]
            receiving = [group.create_task(gateway.run(), name="gateway") for gateway in gateways]
            background = [group.create_task(_watch_stores(bots), name="stores")]
            background += [group.create_task(guard(), name="guard") for guard in settings.guards]
            if settings.manifests:
                from gptbot.reload import watch

                background.append(group.create_task(watch(bots, settings.manifests, settings.directory)))
            if receive:
                from gptbot.http.server import HttpServer

                server = HttpServer(settings.http_host, settings.http_port, sites, _hosts(bots), _connections(bots))
                background.append(group.create_task(server.serve(), name="http"))
                port = await server.started()
                if settings.on_started:
                    settings.on_started(port)
            started = True
            log.info("started", bots=[bot.key for bot in bots], gateway=receive)
            await stop.wait()
            log.info("stopping: receivers first, then the turns under way")
            for task in receiving:
                task.cancel()
            for worker in workers:
                worker.drain()
            for task in [*receiving, *answering]:
                await asyncio.wait({task})
            for task in background:
                task.cancel()
    log.info("stopped")


def _gateways(bots: Sequence[Bot]) -> list[Gateway]:
    from gptbot.gateway import Gateway
    from gptbot.llm.probe import Probes

    probes = Probes(bots[0].http) if bots else None  # one client, so one probe an endpoint
    return [Gateway(bot, bot.mailbox.consumer, probes) for bot in bots]


def _sites(gateways: Sequence[Gateway]) -> dict[str, list[BaseRoute]]:
    return {gateway.key: list(gateway.routes()) for gateway in gateways}


def _hosts(bots: Sequence[Bot]) -> list[str]:
    return [host for bot in bots for host in bot.config.bot.spec.hosts()]


def _connections(bots: Sequence[Bot]) -> Limits:
    """Behind a proxy all people have its address, so that it is the proxy that counts connections by address."""
    from gptbot.http.connections import Limits

    pages = [bot.config.bot.spec.platforms.web for bot in bots]
    proxied = any(page is not None and page.trusted_proxies for page in pages)
    return Limits(connections_per_address=None) if proxied else Limits()


async def _watch_stores(bots: Sequence[Bot]) -> None:
    """Look after the stores, so that readiness tells the truth while nobody writes, and say what is wrong with them."""
    stores = {bot.store: bot.key for bot in bots}
    said: dict[Store, str | None] = dict.fromkeys(stores)
    while True:
        for store, key in stores.items():
            await store.check()
            if store.trouble != said[store]:
                said[store] = store.trouble
                if store.trouble:
                    log.error("the store is not usable", reason=store.trouble, bot=key)
                else:
                    log.info("the store is usable again", bot=key)
        measure(stores)
        await asyncio.sleep(_STORE_INTERVAL)


def measure(stores: Iterable[Store]) -> None:
    """Tell Prometheus what is wrong with stores that have been looked after."""
    troubles = [store.trouble for store in stores if store.trouble]
    metrics.STORE_UP.set(int(not troubles))
    metrics.STORE_FULL.set(int(str(MEMORY_FULL) in troubles))
