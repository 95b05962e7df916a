"""Objects kept as JSON: an eighth of what they take as dicts, and a look at one is far rarer than its being there."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

Document = dict[str, Any]


class Packed(MutableMapping[str, Document]):
    """A mapping to objects of the API. Each look gives a copy: what is done to it changes nothing here."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}

    def __getitem__(self, key: str) -> Document:
        return json.loads(self._packed[key])

    def __setitem__(self, key: str, document: Document) -> None:
        self._packed[key] = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()

    def __delitem__(self, key: str) -> None:
        del self._packed[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def __contains__(self, key: object) -> bool:
        return key in self._packed
