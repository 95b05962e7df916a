"""`gptbot run`: everything in one process, with a store and a model of its own where the manifests name none."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from gptbot.embedded.errors import EmbeddedError
from gptbot.embedded.file import MODEL, ModelFile
from gptbot.embedded.window import window_of
from gptbot.manifest import BotConfig, load
from gptbot.process import Settings, serve
from gptbot.review import refuse, review
from gptbot_api.defaults import Defaults, fill
from gptbot_api.llm import EmbeddedModel as EmbeddedModelSettings
from gptbot_api.llm import Llm

if TYPE_CHECKING:
    from gptbot.embedded.model import EmbeddedModel

RUNNING = "running.json"
"""In the data directory: how `gptbot chat` reaches the running bots. It holds the store's password: mode 0600."""


def default_data_dir() -> Path:
    """`gptbot` in the user's data directory (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "gptbot"


async def run(files: Sequence[Path], data_dir: Path | None, host: str, port: int, metrics_port: int) -> None:
    """Run the bots of the files until SIGTERM or Ctrl-C. Raises InvalidManifest, EmbeddedError, OSError."""
    found = load(files)
    told = review(found, here=True)
    refuse(told)
    for doubt in told:
        print(f"gptbot: warning: {doubt}", file=sys.stderr, flush=True)  # noqa: T201 - a person started it
    configs = [with_model(config) for config in found]
    directory = data_dir or default_data_dir()
    async with embedded(configs, directory) as settings:
        settings.manifests = files
        settings.http_host, settings.http_port = host, port
        settings.metrics_host, settings.metrics_port = "127.0.0.1", metrics_port
        note = directory / RUNNING

        def started(bound: int) -> None:
            state = {"pid": os.getpid(), "bots": [c.key for c in configs], "store": settings.store_url, "port": bound}
            _write_private(note, orjson.dumps(state))
            if any("web" in config.bot.spec.platforms.enabled() for config in configs):
                print(f"\n  Chat at http://{host}:{bound}   (Ctrl-C ends it)\n", file=sys.stderr, flush=True)  # noqa: T201

        settings.on_started = started
        try:
            await serve(configs, settings, receive=True, concurrency="gateway")
        finally:
            with contextlib.suppress(FileNotFoundError):
                note.unlink()


def with_model(config: BotConfig) -> BotConfig:
    """The bot, answered by the embedded model if it names none: on one machine that is the default.

    Raises InvalidManifest when it asks for what that model cannot do.
    """
    return replace(config, bot=fill(config.bot, Defaults(llm=Llm(embedded=EmbeddedModelSettings()))))


@asynccontextmanager
async def embedded(configs: Sequence[BotConfig], directory: Path) -> AsyncGenerator[Settings]:
    """Start what the manifests leave to us; yields settings that name it. Raises EmbeddedError."""
    settings = Settings(pepper=pepper(directory))
    settings.store_url = os.environ.get("GPTBOT_STORE_URL")
    served = [config for config in configs if config.bot.spec.llm.embedded is not None]
    async with AsyncExitStack() as stack:
        if settings.store_url is None and any(config.bot.spec.store is None for config in configs):
            from gptbot.embedded.valkey import EmbeddedValkey

            valkey = await stack.enter_async_context(EmbeddedValkey(directory / "valkey"))
            settings.store_url = valkey.url
            settings.guards = [valkey.wait]
        if url := os.environ.get("GPTBOT_MODEL_URL"):
            settings.model = (url, MODEL)
        elif served:
            server = await stack.enter_async_context(_model(served))
            settings.model, settings.model_file = (server.base_url, server.model), _file(served[0])
            settings.guards = [*settings.guards, server.wait]
        yield settings


def _model(configs: Sequence[BotConfig]) -> EmbeddedModel:
    """The server of the embedded model, as the first bot has it. Raises EmbeddedError when another wants another."""
    from gptbot.embedded.model import EmbeddedModel

    wanted = configs[0].bot.spec.llm.embedded
    assert wanted is not None
    for config in configs[1:]:
        other = config.bot.spec.llm.embedded
        if other is not None and (other.file, other.sha256) != (wanted.file, wanted.sha256):
            raise EmbeddedError(
                f"{config.key}: spec.llm.embedded.file is {other.file or 'not set'}, and {wanted.file or 'not set'} of "
                f"{configs[0].key}: one process serves one model; name the same, or run two processes"
            )
    file = None if wanted.file is None else ModelFile(Path(wanted.file), wanted.sha256)
    window = max(window_of(config.bot.spec.llm) for config in configs)
    return EmbeddedModel("127.0.0.1", parallel=wanted.parallel, threads=wanted.threads, file=file, window=window)


def _file(config: BotConfig) -> str | None:
    model = config.bot.spec.llm.embedded
    return None if model is None else model.file


def pepper(directory: Path) -> str:
    """The secret that pseudonyms are made with: GPTBOT_PEPPER, else one made at the first run and kept."""
    if found := os.environ.get("GPTBOT_PEPPER"):
        return found
    path = directory / "pepper"
    try:
        return path.read_text()
    except FileNotFoundError:
        made = secrets.token_urlsafe(32)
        _write_private(path, made.encode())
        return made


def _write_private(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    part.replace(path)
