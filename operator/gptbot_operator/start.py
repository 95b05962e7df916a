"""Where the program begins: what costs memory and is never used is kept out before anything is imported.

The package `kubernetes` imports its synchronous client, informers and their dependencies by itself, and Kopf imports
that client's models where it finds them, to tell its own dicts from those: 11 MiB of 82 in all (kubernetes 37, Kopf
1.45). The operator uses `kubernetes.aio` alone. structlog imports rich where it finds it, for logs in colour.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import cast

_PACKAGE = "kubernetes"
_NEVER_USED = (f"{_PACKAGE}.client", "rich")
_THEIR_USERS = ("kopf", "structlog")


def run() -> None:
    """Run the operator until it is told to stop."""
    _spare()
    cast("Callable[[], None]", importlib.import_module("gptbot_operator.main").run)()


def _spare() -> None:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is not None:
        sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)  # a package whose __init__ has not been run
    for name in _NEVER_USED:
        sys.modules[name] = cast("ModuleType", None)  # importing it is an ImportError
    try:
        for name in _THEIR_USERS:
            importlib.import_module(name)
    finally:
        for name in _NEVER_USED:
            del sys.modules[name]
