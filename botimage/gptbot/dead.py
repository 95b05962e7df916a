"""`gptbot dead`: look at the messages that were given up, try them again, or drop them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gptbot.inbox.dead import DeadLetter, DeadLetters
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.local import default_data_dir
from gptbot.manifest import load
from gptbot.running import choose, store_of


class NoSuchLetter(Exception):
    """There is no dead letter of that name."""


@asynccontextmanager
async def _dead_letters(
    files: list[Path], refs: Path | None, data_dir: Path | None, name: str
) -> AsyncGenerator[DeadLetters]:
    config = choose(load(files, refs), name)
    async with Store.connect(store_of(data_dir or default_data_dir(), config), config.key) as store:
        yield DeadLetters(store, BotKeys(config.key, b""))


async def show_all(files: list[Path], refs: Path | None, data_dir: Path | None, name: str) -> None:
    """Print a line a dead letter, newest first. Raises InvalidManifest, StoreUnavailable."""
    async with _dead_letters(files, refs, data_dir, name) as dead:
        letters = await dead.list()
    console = Console(markup=False, highlight=False)
    if not letters:
        console.print("There are no dead letters.")
        return
    table = Table("ID", "GIVEN UP", "PLATFORM", "REASON", box=None, pad_edge=False)
    for letter in letters:
        platform = letter.envelope.platform if letter.envelope else "?"
        table.add_row(letter.id, _time(letter), *(Text(_plain(text)) for text in (platform, letter.reason)))
    console.print(table)


async def show(files: list[Path], refs: Path | None, data_dir: Path | None, name: str, wanted: str) -> None:
    """Print one dead letter with its (redacted) text. Raises NoSuchLetter, InvalidManifest, StoreUnavailable."""
    async with _dead_letters(files, refs, data_dir, name) as dead:
        letter = await _find(dead, wanted)
    console = Console(soft_wrap=True, markup=False, highlight=False)
    console.print(f"id:       {letter.id}\ngiven up: {_time(letter)}\nreason:   {_plain(letter.reason)}")
    message = letter.envelope
    if message is None:
        console.print("message:  cannot be read; `gptbot dead drop` removes it")
    else:
        about = f"platform: {message.platform}\ncommand:  {message.command or '-'}\n\n{message.text}"
        console.print(_plain(about))


async def act(
    files: list[Path], refs: Path | None, data_dir: Path | None, name: str, wanted: list[str], *, retry: bool
) -> None:
    """Try dead letters again, or drop them; `all` is all of them. Raises as `show` does."""
    async with _dead_letters(files, refs, data_dir, name) as dead:
        letters = await dead.list(10_000) if wanted == ["all"] else [await _find(dead, name) for name in wanted]
        step = dead.retry if retry else dead.drop
        # Oldest first, so that what is tried again keeps its order.
        done = [await step(letter) for letter in sorted(letters, key=lambda letter: letter.died)]
    Console().print(f"{'tried again' if retry else 'dropped'}: {sum(done)}")


async def _find(dead: DeadLetters, wanted: str) -> DeadLetter:
    async with asyncio.timeout(30):
        letter = await dead.get(wanted)
    if letter is None:
        raise NoSuchLetter(f"there is no dead letter {wanted}; `gptbot dead list` shows which there are")
    return letter


def _time(letter: DeadLetter) -> str:
    try:
        return datetime.fromtimestamp(letter.died, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # somebody wrote the letter under a name of their own
        return "?"


def _plain(text: str) -> str:
    """Text of the store without what a terminal or its encoding takes ill."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
