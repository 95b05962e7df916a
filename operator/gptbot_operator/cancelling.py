"""What Python 3.11 gets wrong about the end of tasks and of asynchronous generators, and how to live with it."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import structlog

_log = structlog.get_logger("gptbot_operator")


def cancelled() -> bool:
    """Whether the current task was cancelled, though nothing was raised.

    Up to Python 3.11 `asyncio.wait_for`, by which redis-py sends, drops a cancellation that comes as it is done
    (https://github.com/python/cpython/issues/86296): a loop that does not look would never end.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def quiet_closing(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception handler for the loop: a watch that cannot be closed tidily is no error.

    Kopf leaves its watches, which are asynchronous generators, to the loop, which closes them as the process ends. One
    that is closed while its own clean-up waits for something raises RuntimeError, with nothing left to lose.
    """
    task: Any = context.get("task") or context.get("future")
    closing = isinstance(task, asyncio.Task) and not inspect.iscoroutine(task.get_coro())  # `aclose()` is none
    if context.get("asyncgen") is not None or closing:
        _log.debug("a watch was not closed tidily", reason=repr(context.get("exception")))
        return
    loop.default_exception_handler(context)
