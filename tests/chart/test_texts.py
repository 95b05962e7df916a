"""Values that look like a number or a boolean: `--set` makes one of them, the objects have texts all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.chart.rendering import CHART, Manifest, containers, find, helm

SCHEMA: Manifest = json.loads((CHART / "values.schema.json").read_text())
MADE_OF_THE_API = {"defaults", "gptBotSpec"}
"""Definitions whose values go to the API server as they are."""
NEVER_A_NUMBER = {
    "botImage.digest", "operator.image.digest", "valkey.image.digest", "metrics.serviceMonitor.interval",
    "metrics.rules.runbooks",
    "valkey.extraConfig", "exampleBot.name", "fullnameOverride",
    "operator.allowedHosts[0]", "operator.allowedExposeHosts[0]", "operator.allowedIngressClasses[0]",
    "operator.allowedIngressAnnotations[0]", "operator.allowedLabels[0]", "operator.allowedAnnotations[0]",
    "operator.allowedEgress[0]", "operator.allowedPlatforms[0]",
    "operator.rollout.maxUnavailableBots", "operator.rollout.pause", "operator.storeShare",
}  # fmt: skip
"""Texts that no number and no boolean can stand for."""
SWITCHES = ("model.enabled=true", "metrics.service=true", "dashboards.enabled=true", "operator.replicas=2")
CLASHING = ("externalStore.", "serviceAccount.name", "extraObjects")


def texts(node: Manifest = SCHEMA, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Path, as `--set` takes it, and types of each value that may be a text."""
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        if name in MADE_OF_THE_API:
            return
        node = SCHEMA["definitions"][name]
    types = {node["type"]} if isinstance(node.get("type"), str) else set(node.get("type", ()))
    if "string" in types:
        yield path, types
    for name, child in node.get("properties", {}).items():
        if name == "claims":
            continue  # of resources: names of the pod's own claims, of which it has none
        yield from texts(child, f"{path}.{name}".lstrip("."))
    if isinstance(node.get("additionalProperties"), dict):
        yield from texts(node["additionalProperties"], f"{path}.some")
    if "items" in node:
        yield from texts(node["items"], f"{path}[0]")


TEXTS = dict(texts())


def template(*settings: str, release: str = "demo", namespace: str = "bots") -> list[Manifest]:
    """Render the chart with values given by `--set`."""
    options = [option for setting in settings for option in ("--set", setting)]
    answer = helm("template", release, CHART, "--namespace", namespace, *options)
    assert answer.returncode == 0, answer.stderr
    return [each for each in yaml.safe_load_all(answer.stdout) if each]


def fits(objects: list[Manifest]) -> None:
    """Every object has the types that Kubernetes wants."""
    for each in objects:
        kubernetes_validate.validate(each, "1.37", strict=True)


def test_there_are_texts_of_all_sorts() -> None:
    wanted = {"botImage.tag", "operator.podAnnotations.some", "valkey.tolerations[0].value", "imagePullSecrets[0]"}
    assert wanted <= TEXTS.keys()


@pytest.mark.parametrize("path", sorted(TEXTS.keys() - NEVER_A_NUMBER - {"extraObjects[0]"}))
def test_a_text_may_be_given_as_a_number(path: str) -> None:
    assert TEXTS[path] & {"integer", "number"}, f"{path} takes no number"


@pytest.mark.parametrize("value", ["1", "20261130"])
def test_numbers_become_texts(value: str) -> None:
    taken = [path for path, types in TEXTS.items() if types & {"integer", "number"} and not path.startswith(CLASHING)]
    objects = template(*SWITCHES, *(f"{path}={value}" for path in taken if path not in NEVER_A_NUMBER))
    fits(objects)
    assert {container["image"] for _, container in containers(objects)} == {f"{value}/{value}:{value}"}


def test_booleans_become_texts() -> None:
    taken = [path for path, types in TEXTS.items() if "boolean" in types and path not in NEVER_A_NUMBER]
    objects = template(*SWITCHES, *(f"{path}=true" for path in taken))
    fits(objects)
    pod = find(objects, "StatefulSet")["spec"]["template"]
    assert pod["metadata"]["annotations"]["some"] == pod["metadata"]["labels"]["some"] == "true"
    assert pod["spec"]["nodeSelector"] == {"some": "true"}
    assert pod["spec"]["tolerations"][0] == {"key": "true", "value": "true"}


def test_numbers_are_no_hindrance_to_an_external_store() -> None:
    store = [f"externalStore.{name}=7" for name in ("existingSecret", "urlKey", "caKey")]
    fits(template("valkey.enabled=false", *store, "serviceAccount.create=false", "serviceAccount.name=7"))
    fits(template("valkey.auth.existingSecret=7"))


def test_a_number_of_a_file_is_not_written_with_an_exponent(tmp_path: Any) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("botImage: {tag: 20261130}\nvalkey: {maxMemory: 1073741824, persistence: {size: 1073741824}}\n")
    answer = helm("template", "demo", CHART, "--values", file)
    assert "gptbot:20261130" in answer.stdout, answer.stderr
    assert "maxmemory 1073741824\n" in answer.stdout
    assert 'storage: "1073741824"' in answer.stdout


def test_a_number_whose_zeros_are_lost_is_refused(tmp_path: Any) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("botImage: {tag: 1.10}\n")
    answer = helm("template", "demo", CHART, "--values", file)
    assert answer.returncode != 0
    assert "'/botImage/tag': got number" in answer.stderr


def test_off_is_no_boolean(tmp_path: Any) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("operator: {storeIsolation: off}\n")  # which YAML 1.1 takes for `false`
    answer = helm("template", "demo", CHART, "--values", file)
    assert 'GPTBOT_STORE_ISOLATION, value: "off"' in answer.stdout, answer.stderr


@pytest.mark.parametrize(("share", "value"), [("50%", "50%"), ("64mb", "64mb"), ("1000000", "1000000"), ("off", "off")])
def test_a_share_of_the_store_is_handed_on(tmp_path: Any, share: str, value: str) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(f"operator: {{storeShare: {share}}}\n")
    answer = helm("template", "demo", CHART, "--values", file)
    assert f'GPTBOT_STORE_SHARE, value: "{value}"' in answer.stdout, answer.stderr


@pytest.mark.parametrize("share", ["0%", "101%", "64Mi", "a lot", "true"])
def test_a_share_that_is_none_is_refused(share: str) -> None:
    answer = helm("template", "demo", CHART, "--set", f"operator.storeShare={share}")
    assert answer.returncode != 0
    assert "storeShare" in answer.stderr


def test_release_and_namespace_may_look_like_numbers() -> None:
    objects = template("fullnameOverride=bots", release="1", namespace="2")
    fits(objects)
    assert {each["metadata"].get("namespace", "2") for each in objects} == {"2"}
