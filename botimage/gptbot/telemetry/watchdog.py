"""Watches the event loop from a thread: while the loop stands still, nobody is answered and no lease is renewed.

The thread asks the loop for a sign every tenth of a second. Without one for `LONGEST` seconds it looks what the loop is
at; once the sign comes, it writes the length of the stall into `gptbot_loop_stall_seconds` and a line into the log.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from gptbot.telemetry import metrics
from gptbot.telemetry.logs import get_logger

log = get_logger("watchdog")

LONGEST = 0.2
"""Seconds that the loop may take to give a sign."""
_PAUSE = 0.1
_FRAMES = 6


@dataclass(frozen=True, slots=True)
class Stall:
    """A time in which the loop stood still."""

    seconds: float
    """From the question to the sign: up to 0.1 s less than the whole stall."""
    task: str
    """Name of the task that held the loop; `none` for a callback without a task."""
    at: str
    """Where its code was, innermost first: `file:line < file:line`."""


@contextmanager
def watch(tell: Callable[[Stall], None] | None = None, longest: float = LONGEST) -> Generator[None]:
    """Watch the running loop until the block ends. `tell` gets each stall of more than `longest` seconds.

    It is called in the thread that watches; by default it counts and logs.
    """
    watchdog = _Watchdog(asyncio.get_running_loop(), tell or _tell, longest)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()


def _tell(stall: Stall) -> None:
    metrics.LOOP_STALL_SECONDS.observe(stall.seconds)
    log.warning(
        "the event loop stood still; what waited for it goes on now",
        seconds=round(stall.seconds, 3), task=stall.task, at=stall.at,
    )  # fmt: skip


class _Watchdog(threading.Thread):
    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[Stall], None], longest: float) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._loop = loop
        self._loop_thread = threading.get_ident()
        self._tell = tell
        self._longest = longest
        self._stopped = threading.Event()
        self._sign = threading.Event()

    def stop(self) -> None:
        """End the thread. Called in the loop's thread."""
        self._stopped.set()
        self._sign.set()
        self.join()

    def run(self) -> None:
        """Ask for signs until stopped, or until the loop is closed."""
        while not self._stopped.wait(_PAUSE):
            asked = time.monotonic()
            self._sign.clear()
            if self._stopped.is_set():  # `stop` waits for this thread, and gave its sign before it was cleared
                return
            try:
                self._loop.call_soon_threadsafe(self._sign.set)
            except RuntimeError:  # the loop is closed
                return
            if self._sign.wait(self._longest):
                continue
            task, at = self._task(), self._place()
            self._sign.wait()
            if not self._stopped.is_set():
                self._tell(Stall(time.monotonic() - asked, task, at))

    def _task(self) -> str:
        task = asyncio.current_task(self._loop)
        return "none" if task is None else task.get_name()

    def _place(self) -> str:
        places: list[str] = []
        frame: FrameType | None = sys._current_frames().get(self._loop_thread)
        while frame is not None and len(places) < _FRAMES:
            places.append(f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}")
            frame = frame.f_back
        return " < ".join(places)
