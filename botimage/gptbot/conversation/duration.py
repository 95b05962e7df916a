"""Says a length of time in a person's language."""

from __future__ import annotations

from gptbot.locales import Texts, exact_length
from gptbot_api.base import seconds


def spoken(duration: str, texts: Texts) -> str:
    """A duration such as `24h` in words, in the largest unit that it is a whole number of."""
    return exact_length(seconds(duration), texts)
