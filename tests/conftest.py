"""What tests of several layers share: a real Valkey, a store connected to it, and who of several workers runs what."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from gptbot.embedded.valkey import EmbeddedValkey
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store

_TESTS = Path(__file__).parent
_SLOW = ("controlplane", "process", "browser", "chaos")
"""Folders whose tests take longest."""
_PLANES = 2
"""Control planes at once. One takes a fifth of a core though nobody asks it anything."""


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest start first: the workers of `pytest -n N` take tests one by one, and end together.

    Tests with a control plane are dealt by files to the workers that have one.
    """
    order = {folder: place for place, folder in enumerate(_SLOW)}
    items.sort(key=lambda item: order.get(_folder(item), len(order)))
    files = sorted({item.path for item in items if _folder(item) == "controlplane"})
    for item in items:
        if item.path in files:
            item.add_marker(pytest.mark.xdist_group(f"control-plane-{files.index(item.path) % _PLANES}"))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(_TESTS).parts[0]


@pytest.fixture(scope="session")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Valkey process of this test run."""
    directory: Path = tmp_path_factory.mktemp("valkey")
    with asyncio.Runner() as runner:
        valkey = EmbeddedValkey(directory)
        runner.run(valkey.__aenter__())
        yield valkey.url
        runner.run(valkey.__aexit__(None, None, None))


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A store connected to it."""
    async with Store.connect(store_url) as connected:
        yield connected


@pytest.fixture
def keys() -> BotKeys:
    """Keys of a bot that no other test uses."""
    return BotKeys(f"test/{uuid.uuid4().hex[:12]}", b"p" * 32)
