"""A bot larger or deeper than any needs is refused before it costs anything; one at the bounds costs little."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot_api import InvalidManifest, parse
from gptbot_operator.bounds import MOST_CHARACTERS, MOST_LEVELS, MOST_VALUES, refuse_too_large
from gptbot_operator.desired.config import config_map
from tests.hostile.growth import least

LARGEST: dict[str, Any] = {
    "values": [0] * (MOST_VALUES - 20),
    "names": {f"k{number}": "v" * 30 for number in range(MOST_VALUES // 2)},
    "a text": "\x07" * (MOST_CHARACTERS - 200),
    "texts": ["é\x07" * 25] * (MOST_VALUES - 20),
}


def _deep(levels: int) -> Any:
    return [_deep(levels - 1)] if levels else 1


def _bot(given: Any) -> dict[str, Any]:
    spec = {"platforms": {"web": {}}, "llm": {"baseUrl": "http://m/v1", "model": "m", "parameters": {"x": given}}}
    return {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": "a", "uid": "u"}, "spec": spec}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([0] * 700_000, "more than 20,000 values"),
        ([[]] * MOST_VALUES, "more than 20,000 values"),
        (["x" * 500_000] * 3, "more than 1,000,000 characters"),
        ({"x" * 600_000: 1, "y" * 600_000: 1}, "more than 1,000,000 characters"),
        (_deep(MOST_LEVELS), "more than 100 levels deep"),
    ],
)
def test_one_beyond_them_is_refused_at_once(given: Any, said: str) -> None:
    spec = _bot(given)["spec"]

    def look() -> None:
        with pytest.raises(InvalidManifest, match=said):
            refuse_too_large(spec)

    assert least(look) < 0.05


@pytest.mark.parametrize("kind", LARGEST)
def test_one_at_them_is_written_in_little_time(kind: str) -> None:
    document = _bot(LARGEST[kind])
    refuse_too_large(document["spec"])
    bot = parse(document)
    assert least(lambda: config_map(bot)) < 0.3, "it took 5.4 s for 400,000 values"


def test_one_as_deep_as_is_allowed_is_no_fault() -> None:
    refuse_too_large({"a": _deep(MOST_LEVELS - 3)})
