"""`gptbot chat`: asks the running bot, or a temporary one, and prints the answer as it comes."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from gptbot.conversation import commands
from gptbot.inbox.intake import BotIntake
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store
from gptbot.local import default_data_dir, embedded, pepper
from gptbot.manifest import BotConfig, load
from gptbot.platforms.terminal.chat import NotTaken, ask
from gptbot.process import open_bots
from gptbot.running import choose, store_of_running
from gptbot.safety.limits import Limits
from gptbot.worker import Worker


class ChatFailed(Exception):
    """There is no answer; the text says why."""


async def chat(files: Sequence[Path], data_dir: Path | None, name: str, question: str, session: str) -> None:
    """Print the answer to a question. Raises InvalidManifest, EmbeddedError, ChatFailed."""
    config = choose(load(files), name)
    directory = data_dir or default_data_dir()
    url = store_of_running(directory, config)
    partner = _of_running(config, directory, url) if url else _temporary(config)
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


@asynccontextmanager
async def _of_running(config: BotConfig, directory: Path, url: str) -> AsyncGenerator[tuple[Store, BotKeys, BotIntake]]:
    async with Store.connect(url, config.key) as store:
        keys = BotKeys(config.key, pepper(directory).encode())
        mailbox = Mailbox(store, keys, "chat")
        limits = Limits(store, keys, lambda: config.bot.spec.limits)
        yield store, keys, BotIntake(lambda: config, "terminal", mailbox, limits, commands)


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
