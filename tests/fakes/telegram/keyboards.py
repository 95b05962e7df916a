"""Inline keyboards: what the server takes, and the queries that pressed buttons make."""

from __future__ import annotations

import time
from typing import Any, cast

from tests.fakes.telegram.state import Json, Message, bad_request

_MOST_DATA = 64
QUERY_LASTS = 15.0
"""Seconds that a query may be answered in; the real server does not say how many."""
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


def check_keyboard(value: Any) -> Json | None:
    """`reply_markup` of a request, when it is an inline keyboard that the server takes; an empty one is none."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise bad_request("object expected as reply markup")
    markup = cast(Json, value)
    rows = markup.get("inline_keyboard")
    if rows is None:
        return markup  # keyboards of other kinds
    if not isinstance(rows, list):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    for row in cast("list[Any]", rows):
        if not isinstance(row, list):
            raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
        for button in cast("list[Json]", row):
            _check_button(button)
    return markup if any(cast("list[list[Json]]", rows)) else None


def _check_button(button: Json) -> None:
    if not button.get("text"):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if "callback_data" not in button and "url" not in button:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= _MOST_DATA:
        raise bad_request("BUTTON_DATA_INVALID")


def buttons(message: Message) -> list[Json]:
    """The buttons below a message."""
    return [button for row in (message.markup or {}).get("inline_keyboard", []) for button in row]


class Queries:
    """The queries of pressed buttons: each is answered once, and soon."""

    def __init__(self) -> None:
        self._open: dict[str, float] = {}
        self.answers: dict[str, Json] = {}
        """Query to what it was answered with."""

    def begin(self, query: str) -> None:
        """A button was pressed."""
        self._open[query] = time.monotonic() + QUERY_LASTS

    def expire(self, query: str) -> None:
        """The time to answer a query is over. Raises LookupError."""
        del self._open[query]

    def answer(self, query: str, values: Json) -> None:
        """Take an answer. Raises ApiError."""
        if time.monotonic() > self._open.pop(query, 0.0):
            raise bad_request(TOO_OLD)
        if len(str(values.get("text") or "")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        self.answers[query] = values
