"""`gptbot chat`: asks the running bot, or a temporary one, and prints the answer as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import orjson

from gptbot.conversation import commands
from gptbot.inbox.intake import BotIntake
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store
from gptbot.local import RUNNING, default_data_dir, embedded, pepper
from gptbot.manifest import BotConfig, load
from gptbot.platforms.terminal.chat import NotTaken, ask
from gptbot.process import open_bots
from gptbot.safety.limits import Limits
from gptbot.worker import Worker
from gptbot_api import Fault, InvalidManifest


class ChatFailed(Exception):
    """There is no answer; the text says why."""


async def chat(files: Sequence[Path], data_dir: Path | None, name: str, question: str, session: str) -> None:
    """Print the answer to a question. Raises InvalidManifest, EmbeddedError, ChatFailed."""
    config = _choose(load(files), name)
    directory = data_dir or default_data_dir()
    running = _running(directory, config)
    partner = _of_running(config, directory, running) if running else _temporary(config)
    shown = ""
    try:
        async with partner as (store, keys, intake):
            async for text in ask(store, keys, intake, question, session=session):
                # Only what grew is printed at once; a text that was replaced shows when it is whole.
                if text.startswith(shown):
                    _print(text[len(shown) :])
                else:
                    _print("\n" + text)
                shown = text
        _print("\n")
    except (NotTaken, TimeoutError) as error:
        raise ChatFailed(str(error) or "no answer came; is the bot's worker running?") from None


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _choose(configs: Sequence[BotConfig], name: str) -> BotConfig:
    keys = ", ".join(config.key for config in configs)
    if not name:
        if len(configs) > 1:
            raise InvalidManifest([Fault("--bot", f"the files hold several bots, say which: {keys}")])
        return configs[0]
    found = next((config for config in configs if name in (config.key, config.bot.metadata.name)), None)
    if found is None:
        raise InvalidManifest([Fault("--bot", f"the files hold no bot {name}; there are: {keys}")])
    return found


def _running(directory: Path, config: BotConfig) -> dict[str, str] | None:
    """How the running bot is reached, or None when it does not run."""
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
        state = orjson.loads((directory / RUNNING).read_bytes())
        os.kill(state["pid"], 0)
        if config.key in state["bots"]:
            return state
    return None


@asynccontextmanager
async def _of_running(
    config: BotConfig, directory: Path, running: dict[str, str]
) -> AsyncGenerator[tuple[Store, BotKeys, BotIntake]]:
    store_of_bot = config.bot.spec.store
    url = config.secret(store_of_bot.url_secret_ref) if store_of_bot else running["store"]
    async with Store.connect(url) as store:
        keys = BotKeys(config.key, pepper(directory).encode())
        mailbox = Mailbox(store, keys, "chat")
        limits = Limits(store, keys, lambda: config.bot.spec.limits)
        yield store, keys, BotIntake(lambda: config, "terminal", mailbox, limits, commands.names())


@asynccontextmanager
async def _temporary(config: BotConfig) -> AsyncGenerator[tuple[Store, BotKeys, BotIntake]]:
    """A worker without gateways in this process, so that a second reader of a platform's token never comes up."""
    with tempfile.TemporaryDirectory(prefix="gptbot-") as directory:
        async with embedded([config], Path(directory)) as settings, AsyncExitStack() as stack:
            (bot,) = await open_bots(stack, [config], settings)
            worker = Worker(bot, 1)
            async with asyncio.TaskGroup() as group:
                group.create_task(worker.run())
                yield bot.store, bot.keys, bot.intake("terminal")
                worker.drain()
