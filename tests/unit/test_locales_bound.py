"""Languages that people name take no memory: there is one set of texts for each file, whatever was asked for."""

from __future__ import annotations

from gptbot import locales
from gptbot.locales import languages, match, texts


def test_unknown_languages_share_the_texts_of_the_default() -> None:
    found = {id(texts(f"x{number}-AQ")) for number in range(5000)}
    assert found == {id(texts(None))}
    assert locales._texts.cache_info().currsize <= len(languages())


def test_a_long_name_costs_nothing_and_a_region_is_known() -> None:
    assert match("ru_RU" + "-" * 1_000_000) == "ru"
    assert match("\ud800" * 1_000_000) == "en"
    assert texts("ru-RU") is texts("RU")
