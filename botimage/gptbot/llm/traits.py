"""What is learned of an endpoint by asking it, and holds for all that is asked afterwards, by all workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from gptbot.llm.errors import BadRequest, ModelError
from gptbot.llm.types import Endpoint

_DOUBTED = 3
"""Answers in a row without thoughts, after which one is not held back for their end any more."""
_NEEDED: Final = frozenset({"model", "messages", "stream"})
"""Fields that no request can do without."""
_MOST_TOKENS: Final = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""The two names of the bound on an answer: older servers know the one, newer models of OpenAI take only the other."""
_MOST_NAMES: Final = 32
_LEAST_WINDOW: Final = 256
"""Tokens of the smallest window that is believed, as of `contextWindow`."""


@dataclass(slots=True)
class Traits:
    """Those of one endpoint."""

    changed: Callable[[], None] | None = None
    """Called when something was learned that other workers should know."""
    without: frozenset[str] = frozenset()
    """Fields of a request that it does not take."""
    renamed: dict[str, str] = field(default_factory=dict[str, str])
    """Fields that it takes under another name."""
    no_system: bool = False
    """Whether it refuses the system's role."""
    window: int | None = None
    """Tokens of question and answer that it takes at once, where it said so."""
    unopened: int = 0
    """Above 0: its answers begin with thoughts whose opening stands in the prompt, so that only their end is seen. So
    many answers without thoughts, and it is taken to think no more."""

    def answered(self, *, unopened: bool) -> None:
        """Take in whether an answer began with such thoughts."""
        before, self.unopened = self.unopened, _DOUBTED if unopened else max(0, self.unopened - 1)
        if bool(before) != bool(self.unopened):
            self._tell()

    def narrow(self, limit: int | None) -> None:
        """Take in how many tokens it said that it takes at once."""
        if limit is not None and limit >= _LEAST_WINDOW and (self.window is None or limit < self.window):
            self.window = limit
            self._tell()

    @property
    def form(self) -> object:
        """Changes with the form that requests have."""
        return self.without, tuple(self.renamed.items()), self.no_system

    def learn(self, endpoint: Endpoint, error: ModelError, form: object) -> bool:
        """Take in why a request of that form was refused; whether it may be made again in another one."""
        if form != self.form:  # another request has learned something meanwhile
            return True
        if isinstance(error, BadRequest) and error.roles and not self.no_system:
            self.no_system = True
            self._tell()
            return True
        name = error.parameter if isinstance(error, BadRequest) and not error.value else None
        if name is None or name in _NEEDED or name in self.without or len(self.without) >= _MOST_NAMES:
            return False
        sent = next((own for own, other in self.renamed.items() if other == name), name)
        if sent != name:
            del self.renamed[sent]
            self.without |= {sent}
        elif (name not in endpoint.fields() and name != "stream_options") or name in self.renamed:
            return False
        elif (other := _MOST_TOKENS.get(name)) is not None and other not in endpoint.fields():
            self.renamed[name] = other
        else:
            self.without |= {name}
        self._tell()
        return True

    def fields(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as it takes them."""
        return {self.renamed.get(name, name): value for name, value in parameters.items() if name not in self.without}

    def as_json(self) -> dict[str, Any]:
        """What was learned, for the store."""
        return {
            "without": sorted(self.without), "renamed": self.renamed, "noSystem": self.no_system,
            "unopened": bool(self.unopened), "window": self.window,
        }  # fmt: skip

    def take_in(self, found: Mapping[str, Any]) -> None:
        """Take in what another worker learned; what is none of ours is passed over."""
        without, renamed = found.get("without"), found.get("renamed")
        if isinstance(without, list):
            names = {name for name in cast("list[Any]", without)[:_MOST_NAMES] if isinstance(name, str)}
            self.without |= names - _NEEDED
        if isinstance(renamed, dict):
            self.renamed |= {
                name: other
                for name, other in _MOST_TOKENS.items()
                if cast("dict[str, Any]", renamed).get(name) == other
            }
        self.no_system = self.no_system or found.get("noSystem") is True
        if type(limit := found.get("window")) is int and limit >= _LEAST_WINDOW:
            self.window = min(limit, self.window or limit)
        if found.get("unopened") is True and not self.unopened:
            self.unopened = _DOUBTED

    def _tell(self) -> None:
        if self.changed is not None:
            self.changed()
