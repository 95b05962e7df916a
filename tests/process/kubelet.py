"""What a kubelet makes of a pod template: mounted files and the environment of the container."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Manifest = dict[str, Any]
Objects = Mapping[tuple[str, str], Mapping[str, str]]
"""Kind and name of Secrets and ConfigMaps of the namespace, and what is in them."""


class CannotStart(Exception):
    """A kubelet would leave the pod where it is; the text says why."""


def objects(manifests: Iterable[Manifest], **secrets: Mapping[str, str]) -> Objects:
    """The Secrets and ConfigMaps among some children of a bot, beside Secrets of the user's."""
    found: dict[tuple[str, str], Mapping[str, str]] = {("Secret", name): data for name, data in secrets.items()}
    for each in manifests:
        data: dict[str, str] = each.get("data") or {}
        if each["kind"] == "Secret":
            data = {key: base64.b64decode(value).decode() for key, value in data.items()}
        if each["kind"] in ("Secret", "ConfigMap"):
            found[each["kind"], each["metadata"]["name"]] = data
    return found


def start(template: Manifest, there: Objects, directory: Path) -> dict[str, str]:
    """Write the files that are mounted under a directory, and return the environment, which names them there.

    Raises CannotStart. https://kubernetes.io/docs/concepts/storage/projected-volumes/
    """
    [container] = template["spec"]["containers"]
    volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
    places: dict[str, str] = {}
    for mount in container["volumeMounts"]:
        place = directory / mount["name"]
        place.mkdir(parents=True, exist_ok=True)
        places[mount["mountPath"]] = str(place)
        for path, text in _files(volumes[mount["name"]], there):
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(text)
    return {each["name"]: _moved(_value(each, there), places) for each in container["env"]}


def _files(volume: Manifest, there: Objects) -> Iterator[tuple[str, str]]:
    if "configMap" in volume:
        yield from _source("ConfigMap", volume["configMap"], there)
    for source in volume.get("projected", {}).get("sources", ()):
        for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
            if field in source:
                yield from _source(kind, source[field], there)


def _source(kind: str, source: Manifest, there: Objects) -> Iterator[tuple[str, str]]:
    data = there.get((kind, source["name"]))
    if data is None and not source.get("optional"):
        raise CannotStart(f"{kind} {source['name']} is not there")
    items = source.get("items") or [{"key": key, "path": key} for key in data or ()]
    for item in items:
        if item["key"] in (data or {}):
            yield item["path"], (data or {})[item["key"]]
        elif not source.get("optional"):
            raise CannotStart(f"{kind} {source['name']} has no key {item['key']}")


def _value(variable: Manifest, there: Objects) -> str:
    if "value" in variable:
        return variable["value"]
    reference = variable["valueFrom"]["secretKeyRef"]
    data = there.get(("Secret", reference["name"]), {})
    if reference["key"] not in data:
        raise CannotStart(f"Secret {reference['name']} has no key {reference['key']}")
    return data[reference["key"]]


def _moved(text: str, places: Mapping[str, str]) -> str:
    """A path within the container as it is here."""
    return next((here + text.removeprefix(path) for path, here in places.items() if text.startswith(path)), text)
