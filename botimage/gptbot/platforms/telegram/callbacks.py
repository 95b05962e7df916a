"""Buttons: as an inline keyboard on their way out, as `callback_data` on their way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gptbot.platforms.base import Button
from gptbot.platforms.telegram.limits import CALLBACK_DATA
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

_PREFIX = "!"


def keyboard(buttons: Sequence[Button]) -> dict[str, Any] | None:
    """An `InlineKeyboardMarkup` with the buttons in one row, or None when there are none.

    A button whose command is longer than `callback_data` may be is left out, loudly.
    """
    row: list[dict[str, str]] = []
    for button in buttons:
        data = _PREFIX + button.command
        size = len(data.encode())
        if size > CALLBACK_DATA:
            log.warning("telegram button left out: its command is too long", bytes=size, most=CALLBACK_DATA)
            continue
        row.append({"text": button.label, "callback_data": data})
    return {"inline_keyboard": [row]} if row else None


def command(data: str | None) -> str | None:
    """The `!command` that a pressed button stands for; None when it is no button of ours."""
    return data if data is not None and len(data) > 1 and data.startswith(_PREFIX) else None
