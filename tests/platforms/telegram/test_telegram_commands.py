"""Commands as Telegram has them: they can be tapped, and some names of theirs do not arrive in groups."""

from __future__ import annotations

import pytest

from gptbot.locales import texts
from gptbot.platforms.telegram.rendering import render
from gptbot.platforms.telegram.sender import written


@pytest.mark.parametrize(
    ("name", "argument", "shown"),
    [
        ("help", "", "/help"),
        ("persona", "chef", "/persona `chef`"),
        ("роль", "", "`/роль`"),
        ("роль", "повар", "`/роль повар`"),
    ],
)
def test_a_command_is_no_code(name: str, argument: str, shown: str) -> None:
    assert written(name, argument) == shown


def test_it_is_plain_text_as_it_is_sent() -> None:
    rendered = render(texts("en").showing(written)("settings-how"))
    assert "/settings NAME VALUE, for example /settings persona-lock on" in rendered.text
    codes = [entity for entity in rendered.entities if entity["type"] == "code"]
    assert [rendered.text[code["offset"] :][: code["length"]] for code in codes] == [
        "NAME VALUE", "persona-lock on", "default",
    ]  # fmt: skip
