"""What tests of several layers share: a real Valkey, a store connected to it, and who of several workers runs what."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings
from xdist.remote import Producer

from gptbot.embedded.valkey import EmbeddedValkey
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.telegram import loading
from tests.dealing import Dealing

loading.load()  # before a test imports aiogram, which then builds all of its types in each worker

settings.register_profile("here", deadline=None)  # timing decides no test
settings.load_profile("here")

_TESTS = Path(__file__).parent
_SLOW = ("chaos", "controlplane", "process", "browser")
"""Folders whose tests take longest."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Dealing:
    """Deal tests as `tests/dealing.py` says, whatever `--dist` is."""
    return Dealing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest start first: the workers of `pytest -n N` take tests one by one, and end together."""
    order = {folder: place for place, folder in enumerate(_SLOW)}
    items.sort(key=lambda item: order.get(item.path.relative_to(_TESTS).parts[0], len(order)))


@pytest.fixture(scope="session")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Valkey process of this test run, which keeps all in memory: a disk that stalls would stall its tests."""
    directory: Path = tmp_path_factory.mktemp("valkey")
    with asyncio.Runner() as runner:
        valkey = EmbeddedValkey(directory)
        runner.run(valkey.__aenter__())
        runner.run(_keep_in_memory(valkey.url))
        yield valkey.url
        runner.run(valkey.__aexit__(None, None, None))


async def _keep_in_memory(url: str) -> None:
    async with Store.connect(url) as store:
        await store.command("CONFIG", "SET", "appendonly", "no")


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A store connected to it."""
    async with Store.connect(store_url) as connected:
        yield connected


@pytest.fixture
def keys() -> BotKeys:
    """Keys of a bot that no other test uses."""
    return BotKeys(f"test/{uuid.uuid4().hex[:12]}", b"p" * 32)
