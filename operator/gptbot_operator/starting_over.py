"""What to do when a watch has ended for good: without the CRD there is nothing to do but to wait for it.

Kopf ends when the API server does not know any more what is watched, and what it leaves behind does not always end
(`cancelling.py`). So the process waits until the CRD is there again, and then begins anew from its very start.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any, NoReturn

import structlog
from kopf._cogs.clients.errors import APIError as WatchError  # no public name

from gptbot_api import KIND
from gptbot_operator import metrics
from gptbot_operator.cluster import ApiError, Cluster

CRD = "gptbots.gptbot.dev"
_LOOK_SECONDS = 2.0

_log = structlog.get_logger("gptbot_operator")


async def until_served(cluster: Cluster, ended: BaseExceptionGroup[WatchError]) -> None:
    """Wait until the CRD is there again. Raises ApiError when it was not for the lack of it that a watch has ended."""
    fault = _first(ended)
    if fault.status != 404:
        raise ApiError(fault.status, f"a watch was refused: {fault}")
    metrics.BOTS.set(0)
    _log.error(
        f"the CRD {CRD} is gone, and all GptBots with it; the operator waits until it is installed again",
        what_to_do="helm upgrade, or kubectl apply --server-side -f charts/gptbot/crds; then apply the GptBots again",
    )
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            if await cluster.serves(KIND):
                return
        except ApiError as error:
            _log.info("not known whether the CRD is there", reason=str(error))


def start_over() -> NoReturn:
    """Replace this process by a new one of the same command."""
    _log.info("starting over")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - its own command line


def without_traceback(record: logging.LogRecord) -> bool:
    """Shorten Kopf's record of a watch that was refused: the text says it all. A filter of logging."""
    if record.exc_info and isinstance(record.exc_info[1], WatchError):
        record.exc_info = None
    return True


def _first(group: BaseExceptionGroup[WatchError]) -> WatchError:
    found: Any = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
