"""The source itself: errors of others are not quoted, and the end of a text is its end."""

from __future__ import annotations

import ast
import builtins
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import gptbot
import gptbot_api
import gptbot_operator
import kubectl_gptbot

_OURS = (gptbot, gptbot_operator, gptbot_api, kubectl_gptbot)
_QUOTED = {
    # What an owner or developer gave on this machine, told to nobody else.
    ("gptbot.embedded.model", "_start"): "the embedded model's server says why it does not start",
    ("gptbot.embedded.valkey", "find_binary"): "the package of Valkey says which machines it is for",
    ("gptbot_operator.settings", "_defaults"): "where the chart's defaults are no YAML",
    ("gptbot_operator.crd", "bring_up_to_date"): "which API server cannot be reached",
    # Errors of our own words, of a type that is not our own.
    ("gptbot.gateway", "__init__"): "`platform` says which platforms there are",
    ("gptbot.process", "_connect"): "`store_url` says what is wrong with an address, without the address",
    ("gptbot_operator.store", "_ask"): "as above",
    ("gptbot_operator.settings", "_parsed"): "`Most.parse` and `Allowance.parse` say what they take",
    ("gptbot.platforms.web.access.password", "__init__"): "`Hash.parse` says what is wrong, without the hash",
    ("gptbot.platforms.web.checks", "_password"): "as above",
    ("gptbot.review", "_store"): "`StoreUrl.parse` says what is wrong with an address, without the address",
    # An error of the store is compared with its codes, and not told.
    ("gptbot_operator.store_busy", "end_endless"): "NOTBUSY",
    ("gptbot.inbox.mailbox", "create_group"): "BUSYGROUP",
    ("gptbot.inbox.mailbox", "receive"): "NOGROUP",
    ("gptbot.inbox.mailbox", "take_over"): "NOGROUP",
    # A deadline of our own has no words.
    ("gptbot.conversation.folding", "run"): "TimeoutError",
    ("gptbot_operator.reconcile", "_work"): "TimeoutError",
    ("gptbot_operator.reconcile", "_tell_failure"): "as above",
}
"""Where an error that is not of a type of our own may be quoted, and why."""
_TEXTS = {"args", "message", "msg", "body", "text", "response", "doc", "object", "description"}
"""Attributes of errors that hold what came from outside. `strerror` is the system's own."""


def _modules() -> Iterator[ModuleType]:
    for package in _OURS:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _ours(kind: Any) -> bool:
    return getattr(kind, "__module__", "").partition(".")[0] in {package.__name__ for package in _OURS}


def _caught(handler: ast.ExceptHandler, names: dict[str, Any]) -> tuple[Any, ...]:
    """The types that a handler catches."""
    assert handler.type is not None
    found = eval(ast.unparse(handler.type), names)
    return tuple(found) if isinstance(found, tuple) else (found,)


def _quotes(node: ast.AST, name: str) -> bool:
    """Whether the text of the error `name` is taken here."""

    def is_it(other: ast.AST) -> bool:
        return isinstance(other, ast.Name) and other.id == name

    match node:
        case ast.Call(func=ast.Name(id="str" | "repr"), args=[argument]):
            return is_it(argument)
        case ast.FormattedValue(value=value):
            return is_it(value)
        case ast.Attribute(value=value, attr=attribute):
            return is_it(value) and attribute in _TEXTS
        case _:
            return False


def _imported_inside(function: ast.AST) -> dict[str, Any]:
    """What a function imports for itself, as handlers of it may catch."""
    names: dict[str, Any] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            names |= {alias.asname or alias.name: getattr(module, alias.name, None) or importlib.import_module(
                f"{node.module}.{alias.name}") for alias in node.names}  # fmt: skip
    return names


def quoted(source: str, names: dict[str, Any]) -> set[str]:
    """Functions that quote an error whose type is not of our own."""
    found: set[str] = set()
    for function in _functions(ast.parse(source)):
        for handler in ast.walk(function):
            if not isinstance(handler, ast.ExceptHandler) or not handler.name:
                continue
            if not any(_quotes(node, handler.name) for node in ast.walk(handler)):
                continue
            known = {**vars(builtins), **names, **_imported_inside(function)}
            if not all(_ours(kind) for kind in _caught(handler, known)):
                found.add(function.name)
    return found


def test_an_error_of_a_library_is_not_quoted() -> None:
    found: set[tuple[str, str]] = set()
    for module in _modules():
        assert module.__file__
        found |= {(module.__name__, name) for name in quoted(Path(module.__file__).read_text(), vars(module))}
    assert found == set(_QUOTED)


@pytest.mark.parametrize(
    "taken", ["str(error)", "repr(error)", "f'{error}'", "f'{error!r}'", "error.args", "error.message"]
)
def test_a_quoted_error_is_found(taken: str) -> None:
    source = f"def f():\n    try:\n        g()\n    except (KeyError, OSError) as error:\n        log({taken})\n"
    assert quoted(source, {}) == {"f"}
    assert not quoted(source.replace(taken, "type(error).__name__"), {})


def _ends_before_a_line_break(pattern: re.Pattern[str] | re.Pattern[bytes]) -> bool:
    """Whether `$` stands in a pattern for the end of the text, where a last line break would pass unseen."""
    if pattern.flags & re.MULTILINE:
        return False
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]", "", text)
    return "$" in bare


_LINES = {
    # Each is given one line, without its end; or the last line of a text that grows, with it or not.
    "gptbot.delivery.blocks", "gptbot.platforms.discord.rendering", "gptbot.platforms.web.unfinished",
}  # fmt: skip


def test_the_end_of_a_text_is_its_end() -> None:
    found = {
        f"{module.__name__}.{name}"
        for module in _modules()
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern) and module.__name__ not in _LINES and _ends_before_a_line_break(value)
    }
    assert not found
