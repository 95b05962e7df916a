"""Imports aiogram without building its 440 types at once: each is built when it is first used.

aiogram defers that to the first use (`defer_build`), but then builds all at the end of its import, so that they know
each other's names. That is three quarters of the time it takes; a gateway uses a part of them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pydantic


def load() -> None:
    """Import aiogram, if nobody did. Its types know each other's names afterwards, as if they had been built."""
    if "aiogram" in sys.modules:
        return
    with _unbuilt() as names:
        types = importlib.import_module("aiogram.types")
    for name, module in list(sys.modules.items()):
        if name.startswith("aiogram.types."):
            for known, value in names.items():
                module.__dict__.setdefault(known, value)
    # What every message is read by, and half of the rest with it: not while the first people wait.
    types.Update.model_rebuild()


@contextmanager
def _unbuilt() -> Generator[dict[str, Any]]:
    """Meanwhile a model that is told its names is not built; those names."""
    names: dict[str, Any] = {}
    build = pydantic.BaseModel.__dict__["model_rebuild"]

    def note(cls: type[pydantic.BaseModel], *, _types_namespace: dict[str, Any] | None = None, **options: Any) -> Any:
        if _types_namespace is None or not cls.__module__.startswith("aiogram.types."):
            return build.__get__(None, cls)(_types_namespace=_types_namespace, **options)
        names.update(_types_namespace)
        return None

    pydantic.BaseModel.model_rebuild = classmethod(note)  # type: ignore[assignment,method-assign]
    try:
        yield names
    finally:
        pydantic.BaseModel.model_rebuild = build
