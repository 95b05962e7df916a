"""How much of a store one bot may fill, as the installation says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}
"""As the store's own `maxmemory` has them."""
_AMOUNT = re.compile(r"([1-9][0-9]{0,15})(%|[kmg]?b?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a server one bot may fill."""

    percent: int = 0
    """Of its `maxmemory`."""
    size: int = 0
    """Bytes. Both 0: as much as there is."""

    @classmethod
    def parse(cls, text: str) -> Allowance:
        """Read `25%`, `64mb`, or `off`. Raises ValueError that says what may stand there."""
        if text == "off":
            return cls()
        found = _AMOUNT.fullmatch(text)
        if found is None or (found[2] == "%" and int(found[1]) > 100):
            raise ValueError(
                f"must be a part of the store's maxmemory such as 25%, a size such as 64mb, or off, not {text!r}"
            )
        return cls(percent=int(found[1])) if found[2] == "%" else cls(size=int(found[1]) * _UNITS[found[2].lower()])

    def of(self, maxmemory: int) -> int:
        """Bytes of a server that has so many; 0: no limit."""
        return self.size or maxmemory * self.percent // 100
