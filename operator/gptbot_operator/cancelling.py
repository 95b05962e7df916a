"""Whether a task is to end, for loops around what may lose a cancellation."""

from __future__ import annotations

import asyncio


def cancelled() -> bool:
    """Whether the current task was cancelled, though nothing was raised.

    Up to Python 3.11 `asyncio.wait_for`, by which redis-py sends, drops a cancellation that comes as it is done
    (https://github.com/python/cpython/issues/86296): a loop that does not look would never end.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
