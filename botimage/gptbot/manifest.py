"""Reads manifests: GptBots with the Secrets and ConfigMaps they refer to, from files or from mounted directories."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from gptbot.documents import documents
from gptbot_api import Fault, GptBot, InvalidManifest, parse
from gptbot_api.refs import ConfigMapKeyRef, SecretKeyRef
from gptbot_api.spec import Persona

Objects = Mapping[tuple[str, str], Mapping[str, str]]
"""(namespace, name) to data."""


@dataclass(frozen=True, slots=True)
class BotConfig:
    """A GptBot and the way to what it refers to."""

    bot: GptBot
    secrets: Objects = field(default_factory=dict, repr=False)
    config_maps: Objects = field(default_factory=dict, repr=False)
    directory: Path | None = None
    """Where the operator mounts references: `secrets/NAME/KEY` and `configmaps/NAME/KEY`."""
    source: str = ""
    """The file that it stands in."""
    empty: Sequence[str] = ()
    """Paths of fields that stand there with nothing behind them, so that they count as left out."""

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return self.bot.key

    def secret(self, reference: SecretKeyRef, path: str = "spec") -> str:
        """The value of a Secret's key. Raises InvalidManifest naming `path` when it is not there or empty."""
        value = self._look_up("secrets", self.secrets, reference)
        if not value:
            raise InvalidManifest([Fault(path, self._missing("Secret", reference))])
        return value

    def peek(self, reference: SecretKeyRef) -> str | None:
        """The value of a Secret's key, stripped; None when it is not there."""
        return self._look_up("secrets", self.secrets, reference)

    def prompt(self, persona: Persona) -> str:
        """The system prompt of a persona. Raises InvalidManifest when its ConfigMap key is not there or empty."""
        if persona.prompt is not None:
            return persona.prompt
        assert persona.prompt_from is not None
        reference = persona.prompt_from.config_map_key_ref
        value = self._look_up("configmaps", self.config_maps, reference)
        if not value:
            path = f"spec.personas[{self.bot.spec.personas.index(persona)}].promptFrom"
            raise InvalidManifest([Fault(path, self._missing("ConfigMap", reference))])
        return value

    def _look_up(self, kind: str, objects: Objects, reference: SecretKeyRef | ConfigMapKeyRef) -> str | None:
        inline = objects.get((self.bot.metadata.namespace, reference.name), {}).get(reference.key)
        if inline is not None or self.directory is None:
            return None if inline is None else inline.strip()
        try:
            return (self.directory / kind / reference.name / reference.key).read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _missing(self, kind: str, reference: SecretKeyRef | ConfigMapKeyRef) -> str:
        where = f"{kind} {reference.name!r} in namespace {self.bot.metadata.namespace!r}"
        return f"{where} has no key {reference.key!r}, or it is empty; add it to the manifest or to the cluster"


def load(paths: Sequence[Path], directory: Path | None = None) -> list[BotConfig]:
    """Read GptBots from YAML files; Secrets and ConfigMaps in the same files serve as what they refer to.

    Raises InvalidManifest with every fault of every file, each with the file's name.
    """
    faults: list[Fault] = []
    found = _Found()
    for path in paths:
        try:
            for document in documents(path):
                found.take(document, str(path))
        except InvalidManifest as error:
            faults += [Fault(f"{path}: {fault.path}", fault.message) for fault in error.faults]
    if not found.bots and not faults:
        names = ", ".join(map(str, paths)) or "nothing"
        faults.append(Fault(names, "holds no document of kind GptBot"))
    seen: set[str] = set()
    for bot, _, _ in found.bots:
        if bot.key in seen:
            faults.append(Fault(bot.key, "this GptBot stands twice in the files given"))
        seen.add(bot.key)
    if faults:
        raise InvalidManifest(faults)
    return [
        BotConfig(bot, found.secrets, found.config_maps, directory, source, empty) for bot, source, empty in found.bots
    ]


@dataclass(slots=True)
class _Found:
    """What the files hold."""

    bots: list[tuple[GptBot, str, Sequence[str]]] = field(default_factory=list[tuple[GptBot, str, Sequence[str]]])
    secrets: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict[tuple[str, str], Mapping[str, str]])
    config_maps: dict[tuple[str, str], Mapping[str, str]] = field(
        default_factory=dict[tuple[str, str], Mapping[str, str]]
    )

    def take(self, document: dict[str, Any], source: str) -> None:
        """Take in a document. Raises InvalidManifest; what is for kubectl alone is passed over."""
        match document["kind"]:
            case "GptBot":
                empty = sorted(_empty(document.get("spec"), "spec"))
                if off := [path for path in empty if path.startswith(_PLATFORMS)]:
                    raise InvalidManifest([Fault(path, _OFF.format(path.removeprefix(_PLATFORMS))) for path in off])
                self.bots.append((parse(document), source, empty))
            case "Secret":
                self._add(self.secrets, document, _secret_data(document))
            case "ConfigMap":
                self._add(self.config_maps, document, _texts(document, "data"))
            case kind if kind.lower() in _KINDS:
                right = _KINDS[kind.lower()]
                raise InvalidManifest([Fault("kind", f"{kind} is no kind: did you mean {right}?")])
            case _:
                pass  # a file for kubectl may hold more than gptbot reads

    def _add(
        self, into: dict[tuple[str, str], Mapping[str, str]], document: dict[str, Any], data: Mapping[str, str]
    ) -> None:
        identity = _identity(document)
        what = f"{document['kind']} {identity[1]!r} in namespace {identity[0]!r}"
        if document["apiVersion"] != "v1":
            raise InvalidManifest([Fault(what, "must have apiVersion: v1")])
        if identity in into:
            raise InvalidManifest([Fault(what, "stands twice in the files given, and only one would count")])
        into[identity] = data


_KINDS = {"gptbot": "GptBot", "gptbots": "GptBot", "secret": "Secret", "configmap": "ConfigMap"}
_PLATFORMS = "spec.platforms."
_OFF = "nothing stands behind it, so the platform is off: write {}: {{}} to switch it on, or take the line out"
_OPEN = frozenset({"podTemplate", "parameters", "extra"})
"""Fields whose contents are others' to define, where a null may mean something."""


def _empty(node: Any, path: str) -> Iterator[str]:
    """Paths of the nulls in a spec."""
    if isinstance(node, dict):
        for name, value in cast("dict[str, Any]", node).items():
            if value is None:
                yield f"{path}.{name}"
            elif name not in _OPEN:
                yield from _empty(value, f"{path}.{name}")
    elif isinstance(node, list):
        for index, item in enumerate(cast("list[Any]", node)):
            yield from _empty(item, f"{path}[{index}]")


def _identity(document: dict[str, Any]) -> tuple[str, str]:
    metadata = document.get("metadata")
    found = cast("dict[str, Any]", metadata) if isinstance(metadata, dict) else {}
    name, namespace = found.get("name"), found.get("namespace") or "default"
    if not isinstance(name, str) or not name or not isinstance(namespace, str):
        fault = Fault(
            f"{document['kind']}: metadata", "needs a name, and a namespace where there is one, that are texts"
        )
        raise InvalidManifest([fault])
    return namespace, name


def _texts(document: dict[str, Any], field_name: str) -> dict[str, str]:
    """A mapping of texts; the API server refuses anything else. Raises InvalidManifest, which names no value."""
    where = f"{document['kind']} {_identity(document)[1]}: {field_name}"
    found = document.get(field_name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidManifest([Fault(where, "must be keys with texts behind them")])
    entries = cast("dict[Any, Any]", found)
    wrong = {key: value for key, value in entries.items() if not isinstance(value, str) or not isinstance(key, str)}
    if wrong:
        raise InvalidManifest([Fault(f"{where}.{key}", _no_text(value)) for key, value in wrong.items()])
    return cast("dict[str, str]", entries)


def _no_text(value: Any) -> str:
    what = {bool: "a truth value", int: "a number", float: "a number", type(None): "nothing"}.get(type(value))
    if what is None:
        what = "a mapping or list" if isinstance(value, dict | list) else "a date or the like"
    return f"is {what} to YAML, not a text, and kubectl refuses it: put quotes around it"


def _secret_data(document: dict[str, Any]) -> Mapping[str, str]:
    data: dict[str, str] = {}
    for key, value in _texts(document, "data").items():
        try:
            data[key] = base64.b64decode("".join(value.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            name = _identity(document)[1]
            fault = Fault(f"Secret {name}: data.{key}", "is not base64 of text; use stringData for plain text")
            raise InvalidManifest([fault]) from None
    return data | _texts(document, "stringData")
