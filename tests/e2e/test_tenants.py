"""Who may write GptBots gets no more by it than a restricted installation allows, which is what the chart makes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e import bots as made
from tests.e2e import cluster, plugin
from tests.e2e.cluster import Object
from tests.e2e.conftest import Release
from tests.e2e.fakes import PORT, Fakes

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("release")]

SECRET = "keys"
FAIR = "fair"
ANSWERS: dict[str, Any] = {
    "platforms": {"web": {}},
    "llm": {"embedded": {}, "parameters": {"max_tokens": 24}},
    "workers": {"maxReplicas": 0},
}
ROOT_ON_THE_NODE: dict[str, tuple[dict[str, Any], str]] = {
    "host-path": ({"volumes": [{"name": "node", "hostPath": {"path": "/"}}]}, "spec.podTemplate.spec.volumes"),
    "host-pid": ({"hostPID": True}, "spec.podTemplate.spec.hostPID"),
    "init-container": (
        {"initContainers": [{"name": "in", "image": "gptbot:dev", "securityContext": {"privileged": True}}]},
        "spec.podTemplate.spec.initContainers",
    ),
    "privileged": (
        {"containers": [{"name": "gptbot", "securityContext": {"privileged": True}}]},
        "spec.podTemplate.spec.containers[0].securityContext.privileged",
    ),
}
"""What goes into the pod template of a bot of that name, and the field that the operator names."""


def _bot(name: str, **spec: Any) -> Object:
    metadata = {"name": name}
    return {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata, "spec": ANSWERS | spec}


def _greedy() -> dict[str, tuple[Object, str]]:
    """Bots that would be root on their node, and what the operator is to say of each."""
    return {
        name: (_bot(name, podTemplate={"spec": template}), path) for name, (template, path) in ROOT_ON_THE_NODE.items()
    }


def _thief(fakes: Fakes) -> tuple[Object, str]:
    """A bot that would send a key of its namespace to a host that is there, and that nobody allowed."""
    host = f"http://openai.{fakes.namespace}.svc.cluster.local:{PORT}/v1"
    llm = {"baseUrl": host, "model": "scripted", "apiKeySecretRef": {"name": SECRET, "key": "model"}}
    return _bot("thief", llm=llm), "spec.llm.baseUrl"


def _elsewhere(fakes: Fakes) -> tuple[list[Object], str]:
    """A bot that would keep what people say in a store that nobody allowed: its URL lies in a Secret."""
    url = f"redis://:password@openai.{fakes.namespace}.svc.cluster.local:{PORT}/0"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store"}, "stringData": {"url": url}}
    store = {"urlSecretRef": {"name": "store", "key": "url"}}
    return [secret, _bot("elsewhere", store=store)], "spec.store.urlSecretRef"


@contextmanager
def _without_admission_policy(namespace: str, release: Release) -> Generator[None]:
    """The API server lets everything in meanwhile; whether it does, it says itself."""
    [(bad, _), *_] = _greedy().values()
    name = f"{release.namespace}-{release.name}-gptbot-gptbots"
    binding: Object = cluster.get("validatingadmissionpolicybinding", name)
    assert binding, f"there is no binding {name}"
    cluster.kubectl("delete", "validatingadmissionpolicybinding", name)
    try:
        cluster.wait_until("nothing is refused", lambda: not _refusal(namespace, bad), 60)
        yield
    finally:
        metadata = {key: binding["metadata"][key] for key in ("name", "labels", "annotations")}
        cluster.kubectl("create", "-f", "-", document=[binding | {"metadata": metadata}])
    cluster.wait_until("it is refused again", lambda: _refusal(namespace, bad), 60)


def _refusal(namespace: str, document: Object) -> str:
    """What the API server says against an object; empty: it would take it."""
    try:
        cluster.kubectl("--namespace", namespace, "create", "--dry-run=server", "-f", "-", document=[document])
    except AssertionError as error:
        return str(error)
    return ""


def _ready(namespace: str, name: str) -> tuple[str, str, str]:
    """Status, reason and message of the condition Ready for the spec as it is now."""
    bot = cluster.get("--namespace", namespace, "gptbot", name)
    status = bot.get("status", {})
    if status.get("observedGeneration") != bot["metadata"]["generation"]:
        return "", "", ""
    [ready] = [each for each in status["conditions"] if each["type"] == "Ready"]
    return ready["status"], ready["reason"], ready["message"]


def test_what_is_not_allowed_is_refused_at_once_and_makes_no_pod_otherwise(
    bots: str, release: Release, fakes_in_cluster: Fakes
) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "stringData": {"model": "sk-secret"}}
    documents, path = _elsewhere(fakes_in_cluster)
    wanted = {"elsewhere": path}
    cluster.apply(bots, [secret, *documents])
    greedy = _greedy() | {"thief": _thief(fakes_in_cluster)}
    for name, (document, _) in greedy.items():
        said = _refusal(bots, document)
        assert "ValidatingAdmissionPolicy" in said, name
        assert "denied request" in said, name

    with _without_admission_policy(bots, release):
        cluster.apply(bots, [document for document, _ in greedy.values()])
        wanted |= {name: path for name, (_, path) in greedy.items()}
        for name, path in wanted.items():
            refused = lambda: _ready(bots, name)[1] == "NotAllowed"  # noqa: B023, E731
            cluster.wait_until(f"the operator says what it thinks of {name}", refused, 60)
            status, _, message = _ready(bots, name)
            assert status == "False"
            assert path in message
            assert "sk-secret" not in message
            assert not made.children(bots, name)
        assert not cluster.items("--namespace", bots, "pods"), "a pod was made all the same"


def test_a_bot_of_good_manners_works_with_what_is_allowed_by_default(bots: str) -> None:
    """One that was refused before, too: once it asks for less, it gets its pods."""
    template = {
        "spec": {
            "containers": [{"name": "gptbot", "resources": {"requests": {"memory": "96Mi"}}}],
            "securityContext": {"runAsUser": 10001},
            "tolerations": [{"key": "spot", "operator": "Exists"}],
        }
    }
    cluster.apply(bots, [_bot(FAIR, podTemplate=template), _bot("host-path")])
    for name in (FAIR, "host-path"):
        made.wait_until_ready(bots, name)
    [pod] = cluster.items("--namespace", bots, "pods", "--selector", f"gptbot.dev/bot={FAIR}")
    assert pod["spec"]["securityContext"]["runAsUser"] == 10001
    assert plugin.printed(bots, "chat", FAIR, "Say hello to me.").strip()
