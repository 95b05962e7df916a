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
_FOLDERS = ("process", "controlplane", "browser", "chaos")
"""Folders whose tests share an API server or a browser, or keep a core busy: they run one after another in one worker,
and start first, since they take longest. Those of `process` are two such lots."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal tests out to the workers of `pytest -n N --dist loadgroup`: by folder or else by file."""
    if not getattr(config.option, "loadgroup", False):  # how a worker knows; its `dist` says no
        return
    place: dict[pytest.Item, int] = {}
    for item in items:
        path = item.path.relative_to(_TESTS)
        folder = path.parts[0]
        place[item] = _FOLDERS.index(folder) if folder in _FOLDERS else len(_FOLDERS)
        group = folder if folder in _FOLDERS else path.as_posix()
        if folder == "process":
            group += " 1" if path.name < "test_m" else " 2"
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=place.__getitem__)


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
