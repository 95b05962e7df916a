"""How the server reads the parameters of a request."""

from __future__ import annotations

from typing import Any

import orjson

from tests.fakes.telegram.state import Json, bad_request


class Parameters:
    """Parameters of a request: strings from a form, any JSON from a JSON body."""

    def __init__(self, values: Json) -> None:
        self.values = values

    def text(self, name: str) -> str:
        """A string; absent: empty."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number, moved into its bounds as the server does; what is none is the default."""
        try:
            return min(max(int(self.values[name]), low), high)
        except (KeyError, TypeError, ValueError):
            return default

    def boolean(self, name: str) -> bool:
        """True, or a string that the server takes for it."""
        return str(self.values.get(name, "")).lower() in ("true", "yes", "1")

    def json(self, name: str, what: str) -> Any:
        """JSON; as a string when the body is a form."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise bad_request(f"can't parse {what} JSON object") from None
