"""Structured JSON logs on standard error."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure(level: str = "info", *, human: bool = False) -> None:
    """Log from `level` on, as JSON lines or, for a person at a terminal, as coloured text.

    Libraries log errors only, without tracebacks: those may quote requests.
    """
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    renderer: Any = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            _where_from,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=logging.ERROR, force=True)
    logging.getLogger("gptbot").setLevel(numeric)


def get_logger(name: str) -> Any:
    """A logger whose lines carry `component: name`."""
    return structlog.get_logger(component=name)


def _where_from(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Say an exception by type and place, never by its text, which may quote a message."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        frames: list[str] = []
        trace = error.__traceback__
        while trace is not None:
            frames.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["error"] = type(error).__name__
        event["at"] = " < ".join(reversed(frames[-6:]))
    return event


class _ToStructlog(logging.Handler):
    """Hands on what comes through the standard library's logging.

    Our own words are passed on; libraries are quoted by name, level and place: their texts may hold ids.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("gptbot."):
            structlog.get_logger(component=record.name.removeprefix("gptbot.")).log(record.levelno, record.getMessage())
            return
        where = f"{record.filename}:{record.lineno}"
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger(component=record.name).log(
            record.levelno, "a library reports trouble", at=where, error=type(error).__name__ if error else None
        )
