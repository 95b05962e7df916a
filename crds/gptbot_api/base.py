"""What every model of the API has: camelCase names, no unknown fields, and rules that hold across fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

_DURATION = "^[1-9][0-9]{0,6}(s|m|h|d)$"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Form:
    """What a text must look like, said in words and with examples, where a pattern alone would say nothing to people.

    It is checked with the rules across fields, by the API server and in Python.
    """

    pattern: str
    message: str
    cel: str = ""
    """The rule for the API server. Empty: that `self` matches the pattern."""
    spares_stored: bool = False
    """Whether objects that an API server has already are left alone. It asks again when the field changes; until then
    the operator says in the status what is wrong."""

    def holds(self, value: Any) -> bool:
        """Whether a value has the form; what is no text has it."""
        return not isinstance(value, str) or re.fullmatch(self.pattern, value) is not None

    def schema(self) -> dict[str, str]:
        """The form as an entry of `x-kubernetes-validations`."""
        return {"rule": self.cel or f"self.matches(r'{self.pattern}')", "message": self.message}

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(core) | {"x-kubernetes-validations": [self.schema()]}


DURATION = Form(_DURATION, "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d")
Duration = Annotated[str, Field(max_length=32), DURATION]
"""A length of time: a whole number above 0 and a unit, `s`, `m`, `h` or `d`. For example `90s`, `24h`."""


def seconds(duration: str) -> int:
    """The length of a `Duration`, in seconds. Raises ValueError when it is not one."""
    if re.fullmatch(_DURATION, duration) is None:
        raise ValueError(f"{duration!r} is not a duration such as 90s, 5m, 24h or 7d")
    return int(duration[:-1]) * _SECONDS[duration[-1]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule across fields, once as CEL for the API server and once as Python for everybody else.

    `message` is what both say when it is broken; `field` is the field they name, relative to the model.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool]
    field: str = ""
    inserted: str = ""
    """What to put into the message for `{}`, as CEL."""
    inserts: Callable[[Any], int | str] = lambda _: 0
    """The same in Python."""
    spares_stored: bool = False
    """As of a `Form`."""
    at_creation: bool = False
    """Whether objects that are there already are left alone."""

    def schema(self) -> dict[str, Any]:
        """The rule as an entry of `x-kubernetes-validations` (KEP-2876)."""
        entry: dict[str, Any] = {"rule": self.cel, "message": self.message}
        if self.inserted:
            before, after = self.message.split("{}")
            entry["message"] = (before.rstrip() + after).strip()
            entry["messageExpression"] = f"'{before}%s{after}'.format([{self.inserted}])"
        if self.at_creation:
            entry |= {"rule": f"oldSelf.hasValue() || {self.cel}", "optionalOldSelf": True}
        return entry | {"fieldPath": f".{self.field}"} if self.field else entry

    def says(self, model: Any) -> str:
        """The message about a model that breaks the rule."""
        return self.message.format(self.inserts(model)) if self.inserted else self.message


class ApiModel(BaseModel):
    """Base of every object in a GptBot. Docstrings become the descriptions that `kubectl explain` shows."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()
    has_installation_defaults: ClassVar[bool] = False
    """Whether an installation may have defaults of its own for the fields: then the API server fills in none, so that
    the operator sees what was left out."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, document: Any) -> Any:
        """Take a null for a field that is not there; so do kubectl and the API server."""
        if not isinstance(document, dict) or None not in (fields := cast("dict[str, Any]", document)).values():
            return document
        known = {info.alias or name for name, info in cls.model_fields.items()}
        return {name: value for name, value in fields.items() if value is not None or name not in known}


class OpenModel(ApiModel):
    """An object whose further fields are somebody else's to define; they are kept as they are."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})
