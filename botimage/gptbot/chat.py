"""`gptbot chat`: a conversation with the running bot, or with a temporary one, in a terminal or a script."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from gptbot.conversation import commands
from gptbot.inbox.intake import BotIntake
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.stops import COMMAND as STOP
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.local import default_data_dir, embedded, pepper, with_model
from gptbot.locales import languages, texts
from gptbot.manifest import BotConfig, load
from gptbot.platforms.terminal.chat import NotTaken, ask, new_session
from gptbot.platforms.terminal.lines import lines
from gptbot.process import open_bots
from gptbot.running import choose, store_of, store_of_running
from gptbot.safety.limits import Limits
from gptbot.worker import Worker
from gptbot_api.base import seconds

TROUBLES = (
    "bad_request", "bad_stream", "context_too_long", "empty", "given-up", "internal", "moderation", "no_text",
    "not_found", "overloaded", "quota", "refused", "timeout", "unauthorized", "unreachable",
)  # fmt: skip
"""Names of the texts that the bot says in place of an answer."""

Partner = tuple[Store, BotKeys, BotIntake]


class ChatFailed(Exception):
    """There is no answer; the text says why."""


async def chat(
    files: Sequence[Path], refs: Path | None, data_dir: Path | None, name: str, question: str, session: str,
    *, patient: bool = True,
) -> None:  # fmt: skip
    """Print the answer to a question; without one, to each line of standard input.

    `patient`: wait while the bot tries again what failed; else the first failure of the model is one of the question.
    `refs` is where the operator mounts references: the bot runs then, and is asked through its store.
    Raises InvalidManifest, EmbeddedError, StoreUnavailable, and ChatFailed when any question got no answer.
    """
    config = choose(load(files, refs), name)
    directory = data_dir or default_data_dir()
    url = store_of(directory, config) if refs else store_of_running(directory, config)
    partner = _of_running(config, directory, url) if url else _temporary(config)
    session = session or new_session()
    failed: list[str] = []  # raised when the partner has gone: it may be a task group, which would wrap it
    async with partner as asked:
        async for each in _one(question) if question else lines():
            try:
                await _answer(asked, each, session, patient=patient)
            except ChatFailed as error:
                failed.append(str(error))
                if not question:
                    print(f"gptbot: {error}", file=sys.stderr, flush=True)  # noqa: T201 - a person reads it
    if failed:
        raise ChatFailed(failed[0] if question else f"{len(failed)} of the questions got no answer")


async def _one(question: str) -> AsyncIterator[str]:
    yield question


async def _answer(partner: Partner, question: str, session: str, *, patient: bool) -> None:
    shown, troubles, given_up = "", _troubles(), False
    try:
        async for text in ask(*partner, question, session=session):
            # Only what grew is printed at once; a text that was replaced shows when it is whole.
            if text.startswith(shown):
                _print(text[len(shown) :])
            else:
                _print("\n" + text)
            shown = text
            if given_up := not patient and text in troubles:
                break
        if given_up:  # else it would be tried again, and what is asked next would wait behind it
            async for _ in ask(*partner, f"!{STOP}", session=session):
                pass
    except NotTaken as error:
        raise ChatFailed(str(error)) from None
    except TimeoutError:
        raise ChatFailed("no answer came; is the bot's worker running?") from None
    except StoreUnavailable as error:
        raise ChatFailed(f"the bot's store cannot be used: {error}") from None
    _print("\n")
    if shown.strip() in troubles:
        raise ChatFailed("the model gave no answer: check spec.llm of the bot, and that the model it names is up")


def _troubles() -> set[str]:
    """What the bot says in place of an answer, in all languages, as a chat may have chosen its own."""
    return {texts(language)(f"trouble-{name}") for language in languages() for name in TROUBLES}


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


@asynccontextmanager
async def _of_running(config: BotConfig, directory: Path, url: str) -> AsyncGenerator[Partner]:
    async with Store.connect(url, config.key) as store:
        keys = BotKeys(config.key, pepper(directory).encode())
        mailbox = Mailbox(store, keys, "chat", retention=lambda: seconds(config.bot.spec.privacy.retention))
        limits = Limits(store, keys, lambda: config.bot.spec.limits)
        yield store, keys, BotIntake(lambda: config, "terminal", mailbox, limits, commands)


@asynccontextmanager
async def _temporary(config: BotConfig) -> AsyncGenerator[Partner]:
    """A worker without gateways in this process, so that a second reader of a platform's token never comes up."""
    config = with_model(config)
    with tempfile.TemporaryDirectory(prefix="gptbot-") as directory:
        async with embedded([config], Path(directory)) as settings, AsyncExitStack() as stack:
            (bot,) = await open_bots(stack, [config], settings)
            worker = Worker(bot, 1)
            async with asyncio.TaskGroup() as group:
                group.create_task(worker.run())
                try:
                    yield bot.store, bot.keys, bot.intake("terminal")
                finally:
                    worker.drain()
