"""Ends a function of the bots that keeps the shared store from all other work."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import structlog
from redis.exceptions import ResponseError

from gptbot_operator.accounts import FAILURES
from gptbot_operator.servers import Server
from gptbot_operator.store_client import fault_of

_OURS = re.compile(rb"[a-z]{1,20}_[0-9a-f]{12}")
"""What functions of gptbot are called, of whatever version (`gptbot_api.store_functions`)."""
_KEY = re.compile(rb"\{([^{}]{1,400})\}:")

_log = structlog.get_logger("gptbot_operator")


async def end_endless(servers: Iterable[Server]) -> None:
    """End what functions of the bots run for so long that their server calls itself busy.

    Those take milliseconds: one that is seen running does not end by itself. What has written cannot be ended but with
    the server, which the chart's probe sees to. Functions and scripts of others are theirs.
    https://valkey.io/commands/function-stats/: answered by a busy server too.
    """
    for server in servers:
        try:
            told = await server.client.execute_command("FUNCTION", "STATS")
        except FAILURES:
            continue  # it is away, runs a script, or the login may not: StoreReachable says so
        name, bot = _running(told)
        if name is None or not _OURS.fullmatch(name):
            continue
        text = name.decode()
        try:
            await server.client.execute_command("FUNCTION", "KILL")
            _log.warning("a function that did not end was stopped in the store", function=text, bot=bot)
        except ResponseError as error:
            if "NOTBUSY" not in str(error):
                _log.error("a function does not end in the store and cannot be stopped; restart the store",
                           function=text, bot=bot, reason=str(fault_of(error, None)))  # fmt: skip
        except FAILURES:
            continue


def _running(told: Any) -> tuple[bytes | None, str | None]:
    """Name of the function that runs, and the bot whose keys it has."""
    found = _pairs(told).get(b"running_script")
    if not found:
        return None, None
    script = _pairs(found)
    words: list[Any] = script.get(b"command") or []
    keys = (_KEY.match(word) for word in words[3:] if isinstance(word, bytes))
    bot = next((key[1].decode(errors="replace") for key in keys if key), None)
    return script.get(b"name"), bot


def _pairs(reply: Any) -> dict[Any, Any]:
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=False))
