"""From a document to a GptBot, or to one line a fault, in the words that the API server uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gptbot_api.base import ApiModel, Form
from gptbot_api.spec import GptBot

_M = TypeVar("_M", bound=ApiModel)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong: the path of the field, and what about it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class InvalidManifest(ValueError):
    """A document that is no valid GptBot. `faults` says why; `str()` is one line a fault."""

    def __init__(self, faults: Sequence[Fault], source: str = "") -> None:
        self.faults = tuple(faults)
        self.source = source
        prefix = f"{source}: " if source else ""
        super().__init__("\n".join(f"{prefix}{fault}" for fault in self.faults))


def parse(document: Any, source: str = "") -> GptBot:
    """Make a GptBot of plain data, checking schema and rules.

    As at the API server, rules across fields are looked at once the fields themselves are right.
    Raises InvalidManifest with all the faults found; `source` (a file's name) is put before each.
    """
    return parse_as(GptBot, document, source)


def parse_as(model: type[_M], document: Any, source: str = "") -> _M:
    """The same for any object of the API."""
    try:
        made = model.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        faults = (_fault(detail) for detail in error.errors(include_url=False))
        raise InvalidManifest(sorted(set(faults)), source) from None
    faults = sorted(broken_rules(made, stored=is_stored(made)))
    if faults:
        raise InvalidManifest(faults, source)
    return made


def is_stored(model: ApiModel) -> bool:
    """Whether an object comes from an API server, which has looked at it when it was written."""
    return bool(getattr(getattr(model, "metadata", None), "uid", ""))


def broken_rules(model: ApiModel, path: str = "", *, stored: bool = False) -> Iterator[Fault]:
    """The rules across fields that do not hold, in the model and all it contains.

    `stored`: rules and forms that came later, and spare what an API server has taken before, are left out.
    """
    for rule in model.rules:
        if not (stored and rule.spares_stored) and not rule.holds(model):
            at = f"{path}.{rule.field}" if rule.field else path
            yield Fault(at.lstrip("."), f"Invalid value: {rule.says(model)}")
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        where = f"{path}.{info.alias or name}".lstrip(".")
        yield from _malformed(value, info.annotation, info.metadata, where, stored)
        if isinstance(value, ApiModel):
            yield from broken_rules(value, where, stored=stored)
        elif isinstance(value, list):
            for index, item in enumerate(value):  # pyright: ignore[reportUnknownArgumentType]
                if isinstance(item, ApiModel):
                    yield from broken_rules(item, f"{where}[{index}]", stored=stored)


def _malformed(value: Any, kind: Any, metadata: Sequence[Any], path: str, stored: bool) -> Iterator[Fault]:
    """The texts in a field's value, its lists and mappings too, that have not the form which their type asks for."""
    if get_origin(kind) is Annotated:
        kind, *metadata = get_args(kind)
    for form in metadata:
        if isinstance(form, Form) and not (stored and form.spares_stored) and not form.holds(value):
            yield Fault(path, f"Invalid value: {_shown(value)}: {form.message}")
    if isinstance(value, list) and get_origin(kind) is list:
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _malformed(item, get_args(kind)[0], (), f"{path}[{index}]", stored)
    elif isinstance(value, dict) and get_origin(kind) is dict:
        for key, item in cast("dict[str, Any]", value).items():
            yield from _malformed(item, get_args(kind)[1], (), f"{path}[{key}]", stored)
    elif value is not None and get_origin(kind) in (Union, UnionType):
        for option in get_args(kind):
            yield from _malformed(value, option, (), path, stored)


def _path(location: Sequence[int | str]) -> str:
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path or "document"


_TYPES = {
    "int_type": "integer", "int_from_float": "integer", "string_type": "string", "bool_type": "boolean",
    "list_type": "array", "dict_type": "object",
    "model_type": "object", "float_type": "number", "int_or_string_type": "integer,string",
}  # fmt: skip


def _json_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _fault(detail: ErrorDetails) -> Fault:
    """Say a pydantic error in the API server's words (k8s.io/apimachinery `validation/field`)."""
    path, kind, value = _path(detail["loc"]), detail["type"], detail["input"]
    bounds = detail.get("ctx", {})
    match kind:
        case "missing":
            return Fault(path, "Required value")
        case "extra_forbidden":
            return Fault(path, f'unknown field "{path}"')
        case "literal_error":
            allowed = bounds["expected"].replace("'", '"').replace(" or ", ", ")
            return Fault(path, f"Unsupported value: {_shown(value)}: supported values: {allowed}")
        case "greater_than_equal":
            text = f"{path} in body should be greater than or equal to {_number(bounds['ge'])}"
            return Fault(path, f"Invalid value: {_shown(value)}: {text}")
        case "less_than_equal":
            text = f"{path} in body should be less than or equal to {_number(bounds['le'])}"
            return Fault(path, f"Invalid value: {_shown(value)}: {text}")
        case "string_pattern_mismatch":
            shown = _HIDDEN if _may_be_secret(path, value) else _shown(value)
            return Fault(path, f"Invalid value: {shown}: {path} in body should match '{bounds['pattern']}'")
        case "string_too_short":
            least = bounds["min_length"]
            return Fault(path, f"Invalid value: {_shown(value)}: {path} in body should be at least {least} chars long")
        case "string_too_long":
            return Fault(path, f"Too long: may not be more than {bounds['max_length']} bytes")
        case "too_long":
            return Fault(path, f"Too many: {bounds['actual_length']}: must have at most {bounds['max_length']} items")
        case "too_short":
            least = bounds["min_length"]
            return Fault(
                path, f"Invalid value: {bounds['actual_length']}: {path} in body should have at least {least} items"
            )
        case _ if kind in _TYPES:
            got = _json_type(value)
            return Fault(path, f'Invalid value: "{got}": {path} in body must be of type {_TYPES[kind]}: "{got}"')
        case _:
            return Fault(path, f"Invalid value: {detail['msg']}")


_REFERENCE = re.compile(r"SecretRef\.(?:name|key)\Z|\.secretRef\.(?:name|key)\Z")
_HIDDEN = "(hidden: it may be the secret itself, which belongs into a Secret; here stands the Secret's name and key)"


def _may_be_secret(path: str, value: Any) -> bool:
    """Whether somebody may have written a token where the name of a Secret belongs: no short word is one."""
    return isinstance(value, str) and len(value) >= 16 and _REFERENCE.search(path) is not None


def _shown(value: Any) -> str:
    """A value for people. A user and password in an address are left out."""
    return f'"{_USERINFO.sub("://", value)}"' if isinstance(value, str) else str(value)


_USERINFO = re.compile(r"://[^/?#@\s]{0,2048}@")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)
