"""Bots made of the files in examples/, and what is seen of them in the cluster."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import yaml

from tests.chart.rendering import ROOT
from tests.e2e import cluster
from tests.e2e.cluster import Object
from tests.e2e.fakes import API_KEYS, TELEGRAM_TOKEN, Fakes

KINDS = "deployments,replicasets,pods,services,horizontalpodautoscalers,configmaps,secrets,serviceaccounts"


def example(name: str) -> list[Object]:
    """The documents of an example."""
    return list(yaml.safe_load_all((ROOT / "examples" / f"{name}.yaml").read_text()))


def on_telegram(name: str, fakes: Fakes) -> list[Object]:
    """A bot on Telegram, answered by the scripted model, with room for people who ask without a pause."""
    many = {"messages": 1000, "per": "1m"}
    spec = {
        "platforms": {
            "telegram": {
                "tokenSecretRef": {"name": name, "key": "telegram"}, "apiBaseUrl": fakes.inside("telegram"),
            }
        },
        "llm": {
            "baseUrl": f"{fakes.inside('openai')}/v1", "model": "scripted",
            "apiKeySecretRef": {"name": name, "key": "model"},
        },
        "limits": {"perUser": many, "perChat": many},
        "gateway": {"concurrency": 0},
        "workers": {"minReplicas": 2, "maxReplicas": 2},
    }  # fmt: skip
    metadata = {"name": name}
    tokens = {"telegram": TELEGRAM_TOKEN, "model": API_KEYS[0]}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": tokens},
        {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata, "spec": spec},
    ]


def change(documents: Iterable[Object], kind: str, **fields: Any) -> None:
    """Set fields of the document of a kind: of the spec of a GptBot, of the strings of a Secret."""
    [document] = [each for each in documents if each["kind"] == kind]
    part = document["spec" if kind == "GptBot" else "stringData"]
    for name, value in fields.items():
        part[name.replace("_", "-") if kind == "Secret" else name] = value


def wait_until_ready(namespace: str, name: str, seconds: float = 240) -> None:
    """Wait until a bot is ready with the spec it has now. Raises AssertionError saying what is wrong."""

    def conditions() -> dict[str, Object]:
        bot = cluster.get("--namespace", namespace, "gptbot", name)
        status = bot.get("status", {})
        current = status.get("observedGeneration") == bot["metadata"]["generation"]
        return {each["type"]: each for each in status.get("conditions", [])} if current else {}

    def ready() -> bool:
        seen = conditions()
        return all(seen.get(kind, {}).get("status") == "True" for kind in ("Ready", "PlatformsConnected"))

    try:
        cluster.wait_until(f"bot {name} is ready", ready, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; its conditions: {conditions()}") from None


def children(namespace: str, name: str) -> set[str]:
    """Names of what the operator made for a bot, as `Kind/name`."""
    labelled = cluster.items("--namespace", namespace, KINDS, "--selector", f"gptbot.dev/bot={name}")
    return {f"{each['kind']}/{each['metadata']['name']}" for each in labelled}


def pods(namespace: str, name: str) -> set[str]:
    """Names of a bot's pods; those on their way out are among them, for they may still answer."""
    found = cluster.items("--namespace", namespace, "pods", "--selector", f"gptbot.dev/bot={name}")
    return {pod["metadata"]["name"] for pod in found}


def secret(namespace: str, name: str) -> dict[str, str]:
    """The values of a Secret."""
    data = cluster.get("--namespace", namespace, "secret", name)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}
