"""Reads manifests: GptBots with the Secrets and ConfigMaps they refer to, from files or from mounted directories."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

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
    bots: list[GptBot] = []
    secrets: dict[tuple[str, str], Mapping[str, str]] = {}
    config_maps: dict[tuple[str, str], Mapping[str, str]] = {}
    for path in paths:
        try:
            for document in _documents(path):
                match document.get("kind"):
                    case "GptBot":
                        bots.append(parse(document))
                    case "Secret":
                        secrets[_identity(document)] = _secret_data(document)
                    case "ConfigMap":
                        config_maps[_identity(document)] = dict(document.get("data") or {})
                    case _:
                        pass  # a file for kubectl may hold more than gptbot reads
        except InvalidManifest as error:
            faults += [Fault(f"{path}: {fault.path}", fault.message) for fault in error.faults]
    if not bots and not faults:
        names = ", ".join(map(str, paths)) or "nothing"
        faults.append(Fault(names, "holds no document of kind GptBot"))
    seen: set[str] = set()
    for bot in bots:
        if bot.key in seen:
            faults.append(Fault(bot.key, "this GptBot stands twice in the files given"))
        seen.add(bot.key)
    if faults:
        raise InvalidManifest(faults)
    return [BotConfig(bot, secrets, config_maps, directory) for bot in bots]


def _documents(path: Path) -> Iterable[dict[str, Any]]:
    try:
        text = path.read_text()
    except OSError as error:
        raise InvalidManifest([Fault("file", f"cannot be read: {error.strerror}")]) from None
    try:
        documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        problem = getattr(error, "problem", None) or "is not YAML"
        raise InvalidManifest([Fault(where, f"not valid YAML: {problem}")]) from None
    for number, document in enumerate(documents, 1):
        if document is None:
            continue
        if not isinstance(document, dict):
            raise InvalidManifest([Fault(f"document {number}", "must be an object with apiVersion and kind")])
        yield document


def _identity(document: dict[str, Any]) -> tuple[str, str]:
    metadata = document.get("metadata") or {}
    return metadata.get("namespace", "default"), str(metadata.get("name", ""))


def _secret_data(document: dict[str, Any]) -> Mapping[str, str]:
    data: dict[str, str] = {}
    for key, value in (document.get("data") or {}).items():
        try:
            data[key] = base64.b64decode(str(value), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            name = _identity(document)[1]
            fault = Fault(f"Secret {name}: data.{key}", "is not base64 of text; use stringData for plain text")
            raise InvalidManifest([fault]) from None
    return data | {key: str(value) for key, value in (document.get("stringData") or {}).items()}
