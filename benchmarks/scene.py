"""The world around the processes that are measured: a store, a model, platforms, each a process of its own."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gptbot.embedded.valkey import EmbeddedValkey
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store
from gptbot.platforms.web.entries import decode, stream_key
from tests.process.program import PEPPER, program, until, write_manifest

KEYS = BotKeys("default/bot", PEPPER.encode())
TELEGRAM_TOKEN = "4200042:AAfakefakefakefakefakefakefakefakef"
DISCORD_TOKEN = "MTIz.YWJj.ZGVm"
_ROOT = Path(__file__).parent.parent
_FAKES_WORDS = 4
"""Words that the fake model puts before what it says back."""


def question(tokens: int, mark: str) -> str:
    """What to ask for an answer of so many tokens that contains `mark`."""
    return " ".join([mark, *(f"w{number}" for number in range(tokens - _FAKES_WORDS - 1))])


@asynccontextmanager
async def fake(module: str, *arguments: str) -> AsyncGenerator[str]:
    """A fake in a process of its own; gives the line it prints once it listens. Raises RuntimeError if it ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode().strip()
        if not line:
            raise RuntimeError(f"{module} did not start")
        yield line
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Scene:
    """A bot's surroundings. `store` is a connection of the benchmark's own."""

    store_url: str
    store: Store
    model: str
    directory: Path

    def manifest(self, platforms: Mapping[str, Any], secrets: Mapping[str, str], concurrency: int = 200) -> str:
        """A bot with these platforms, answered by workers alone."""
        spec = {
            "platforms": platforms,
            "llm": {"baseUrl": self.model, "model": "bench"},
            "gateway": {"concurrency": 0},
            "workers": {"concurrency": concurrency},
            "limits": {"tokensPerDay": 0},
            "personas": [{"name": "helper", "prompt": "Be brief."}],
        }
        return str(write_manifest(self.directory / "bot.yaml", spec, secrets))

    async def ask(self, conversation: str, text: str) -> float:
        """Enqueue a message of the web page, as its gateway does; when, in seconds since 1970."""
        now = time.time()
        envelope = Envelope(
            event=conversation, platform="web", user=conversation, text=text, address={"session": conversation},
            direct=True, received=now,
        )  # fmt: skip
        await Mailbox(self.store, KEYS, "bench").enqueue(conversation, envelope)
        return now

    async def drained(self, timeout: float) -> None:
        """Wait until all conversations are answered."""
        async with asyncio.timeout(timeout):
            while await self.store.command("XLEN", KEYS.runnable):  # noqa: ASYNC110 - another process empties it
                await asyncio.sleep(0.2)

    async def answered(self, conversation: str, mark: str) -> float:
        """When the final text was in the web page's stream, by the store's clock. Raises RuntimeError without one."""
        entries = decode(await self.store.command("XRANGE", stream_key(KEYS, conversation), "-", "+"), "bench")
        finals = [entry for entry in entries if entry.kind == "bot" and entry.final]
        if len(finals) != 1 or mark not in finals[0].text:
            raise RuntimeError(f"a question got {len(finals)} answers, or that of another")
        return finals[0].milliseconds / 1000


@asynccontextmanager
async def scene(tokens_per_second: float) -> AsyncGenerator[Scene]:
    """A new store, and a model that says back what it is told at this pace (0: at once)."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with (
            EmbeddedValkey(directory / "store") as valkey,
            Store.connect(valkey.url) as store,
            fake("tests.fakes.openai", f"--tokens-per-second={tokens_per_second}") as model,
        ):
            yield Scene(valkey.url, store, model, directory)


@asynccontextmanager
async def running(world: Scene, platforms: dict[str, dict[str, object]]) -> AsyncGenerator[None]:
    """A gateway that is connected, and a worker."""
    secrets = {"telegram": TELEGRAM_TOKEN, "discord": DISCORD_TOKEN}
    for name, settings in platforms.items():
        settings["tokenSecretRef"] = {"name": "bot", "key": name}
    file = world.manifest(platforms, secrets)
    async with (
        program("gateway", "--manifest", file, store=world.store_url) as gateway,
        program("worker", "--manifest", file, store=world.store_url) as worker,
    ):
        await gateway.ready()
        await worker.ready()
        for name in platforms:
            await until(lambda: gateway.said("connected", platform=name))  # noqa: B023 - called here only
        yield


def percentile(values: list[float], percent: int) -> float:
    """The smallest value that so many percent of all do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]
