"""Trouble on demand: the next calls of a method fail in a way that was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

FaultKind = Literal["answer", "answer_after", "close_before", "close_after", "stall_before", "stall_after"]


@dataclass(slots=True)
class Fault:
    """What happens instead of, before or after the method."""

    kind: FaultKind
    """`answer`: this status and body, without doing anything. `answer_after`: the same, but the method was done.
    `close_…`: the connection is cut, before or after the method was done. `stall_…`: nothing happens for `seconds`, and
    then the method is done (`stall_before`), or it is done at once and only the answer is late (`stall_after`)."""
    count: int = 1
    """How many calls it hits."""
    status: int = 500
    body: Any = None
    """JSON, or a string that is sent as it is (HTML of a proxy, say). None: the Bot API's own words for the status."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    seconds: float = 0.0
    chat_id: int | None = None
    """Only calls about this chat."""


class Faults:
    """Faults waiting for their calls, by method. `*` is any method."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Fault]] = {}

    def add(self, method: str, fault: Fault) -> None:
        """Let the next calls of a method fail. Faults of one method come after each other."""
        self._waiting.setdefault(method.lower(), []).append(fault)

    def clear(self) -> None:
        """No more trouble."""
        self._waiting.clear()

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """The fault for this call, if there is one."""
        if not self._waiting:
            return None
        for name in (method.lower(), "*"):
            faults = self._waiting.get(name, [])
            for fault in faults:
                if fault.chat_id is None or fault.chat_id == chat_id:
                    fault.count -= 1
                    if fault.count <= 0:
                        faults.remove(fault)
                    return fault
        return None
