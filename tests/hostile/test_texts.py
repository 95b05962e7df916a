"""What is parsed at a start is not parsed while people wait, and everybody else with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fluent.runtime
import pytest

from gptbot import locales, process
from gptbot.inbox.store import Store
from gptbot.platforms.web import texts
from gptbot.process import Settings
from tests.platforms.web.conftest import Browser, browser
from tests.platforms.web.scene import bot, scene

__all__ = ["browser"]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Lengths of the texts that were parsed; none is known at the beginning."""
    found: list[int] = []

    parse = fluent.runtime.FluentResource

    def noting(source: str) -> Any:
        found.append(len(source))
        return parse(source)

    monkeypatch.setattr(fluent.runtime, "FluentResource", noting)
    monkeypatch.setattr(texts, "FluentResource", noting)
    for kept in (texts.languages, locales._texts, locales._bundle):
        kept.cache_clear()
    yield found
    for kept in (texts.languages, locales._texts, locales._bundle):
        kept.cache_clear()


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_the_first_look_at_a_page_parses_nothing(
    store: Store, browser: Browser, parsed: list[int], language: str
) -> None:
    async with scene(store, bot()) as stage:
        page = await stage.replica()
        assert parsed
        parsed.clear()
        await browser.load(page, **{"Accept-Language": language})
        locales.texts(language)("message-too-long", most=1)
        assert parsed == []


async def test_texts_are_parsed_before_a_process_serves_anybody(
    monkeypatch: pytest.MonkeyPatch, parsed: list[int]
) -> None:
    """When the watchdog looks first, nothing is left to parse."""
    looked: list[int] = []

    class Enough(Exception):
        pass

    def watch() -> None:
        looked.append(len(parsed))
        raise Enough

    monkeypatch.setattr(process.watchdog, "watch", watch)
    with pytest.raises(Enough):
        await process.serve([], Settings(), receive=False, concurrency="workers")
    assert looked == [len(parsed)]
    assert looked[0] >= 2
    parsed.clear()
    for language in locales.languages():
        locales.texts(language)
    assert parsed == []
