"""`kubectl gptbot` with the real kubectl and API server: status, show, doctor and new."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gptbot.inbox.store import Store
from gptbot_api import parse
from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.plugin import answer, editor, gptbot
from tests.controlplane.running import OperatorProcess
from tests.controlplane.test_status import report

MakeBot = Callable[..., Bot]
pytestmark = pytest.mark.usefixtures("operator")

TELEGRAM = {"telegram": {"tokenSecretRef": {"name": "tokens", "key": "telegram"}}}


@pytest.fixture
def user(plane: Plane, namespace: str) -> Path:
    """A kubeconfig of somebody who may edit in the test's namespace and see nothing else."""
    return editor(plane, namespace)


def findings(kubeconfig: Path, *arguments: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Exit status and findings of the doctor."""
    ended = gptbot(kubeconfig, "doctor", *arguments, "-o", "json")
    return ended.returncode, answer(ended)


def said(found: list[dict[str, str]], check: str, level: str) -> list[str]:
    """What a check found on a level."""
    return [each["what"] for each in found if (each["check"], each["level"]) == (check, level)]


async def well(make_bot: MakeBot, store: Store, **spec: Any) -> Bot:
    """A bot with which all is well."""
    bot = make_bot(workers={"minReplicas": 2, "maxReplicas": 2}, **spec)
    bot.wait_condition("StoreReachable", "True")
    bot.run_pods()
    await report(store, bot, "web", True)
    bot.wait_condition("Ready", "True", "Answering")
    wait_for(
        lambda: bot.document["status"]["workers"] == {"ready": 2, "desired": 2, "replicas": 2}, "workers in the status"
    )
    return bot


async def test_status_of_one_bot_and_of_all(make_bot: MakeBot, store: Store, user: Path, plane: Plane) -> None:
    bot = await well(make_bot, store)
    make_bot("silent", platforms=TELEGRAM).wait_condition("Ready", "False")
    ended = gptbot(user, "status")
    assert ended.returncode == 0, ended.stderr
    header, first, second = ended.stdout.splitlines()
    assert header.split() == ["NAMESPACE", "NAME", "READY", "PLATFORMS", "WORKERS", "BACKLOG", "AGE", "WHY"]
    assert first.split()[:6] == [bot.namespace, "bot", "True", "web", "2/2", "0"]
    assert second.split()[1:4] == ["silent", "False", "telegram!"]

    ended = gptbot(user, "status", "bot")
    assert ended.returncode == 0, ended.stderr
    for words in (
        f"{bot.namespace}/bot", "Ready", "Answering", "StoreReachable", "connected", "2 of 2 ready", "complete",
        "2 of 2 new, 2 ready, 2 in all", "Running", "Events",
    ):  # fmt: skip
        assert words in ended.stdout, ended.stdout
    document = answer(gptbot(user, "status", "bot", "-o", "json"))
    assert (document["ready"], document["current"], document["backlog"]) == ("True", True, 0)
    assert document["rollout"]["worker"] | {"complete": True, "ready": 2} == document["rollout"]["worker"]
    assert {pod["role"] for pod in document["pods"]} == {"gateway", "worker"}

    ended = gptbot(plane.kubeconfig("admin"), "status", "-n", bot.namespace, "nobody")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"there is no GptBot nobody in namespace {bot.namespace}" in ended.stderr
    ended = gptbot(user, "status", "-A")
    assert (ended.returncode, "forbidden" in ended.stderr) == (1, True), "kubectl's own words"


def test_show_prints_what_the_pods_see(make_bot: MakeBot, user: Path) -> None:
    bot = make_bot()
    bot.the("ConfigMap", "gptbot")
    ended = gptbot(user, "show", "bot")
    assert ended.returncode == 0, ended.stderr
    shown = parse(yaml.safe_load(ended.stdout))
    assert shown.spec.context.max_messages == 40
    assert shown.key == f"{bot.namespace}/bot"


async def test_the_doctor_finds_nothing_where_all_is_well(make_bot: MakeBot, store: Store, user: Path) -> None:
    bot = await well(make_bot, store)
    bot.api.create(_slice(bot))
    code, report_of = findings(user, "bot")
    found = report_of[f"{bot.namespace}/bot"]
    assert code == 0, report_of
    assert not [each for each in found if each["level"] in ("wrong", "unseen")], "all of it is seen with the role edit"
    cluster = report_of["cluster"]
    assert said(cluster, "resource", "ok") == ["GptBots are served as gptbot.dev/v1alpha1"]
    assert len(said(cluster, "operator", "unseen")) == 1, "other namespaces are not the user's to see"
    assert said(found, "service", "ok") == ["Service bot-web leads to 1 gateways"]
    ended = gptbot(user, "doctor", "bot")
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == "Nothing is wrong; 2 could not be looked at."


def _slice(bot: Bot) -> dict[str, Any]:
    """What the controller of EndpointSlices would make, were there one."""
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": "bot-web-x", "namespace": bot.namespace, "labels": {"kubernetes.io/service-name": "bot-web"},
        },
        "endpoints": [{"addresses": ["10.0.0.9"], "conditions": {"ready": True}}],
        "ports": [{"name": "http", "port": 8080}],
    }  # fmt: skip


def test_the_doctor_names_what_is_wrong_and_what_to_do(make_bot: MakeBot, user: Path, plane: Plane) -> None:
    bot = make_bot(platforms={"web": {}, **TELEGRAM})
    bot.secret("tokens", other="x")
    bot.the("HorizontalPodAutoscaler", "worker")
    bot.wait_condition("Ready", "False")
    pods = wait_for(lambda: len(found := bot.api.list("Pod", bot.namespace)) == 2 and found, "pods")
    gateway, worker = sorted(pods, key=lambda pod: pod["metadata"]["name"])
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "gptbot:test"'}
    _container(bot, gateway, {"waiting": waiting})
    unschedulable = {
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient memory.",
    }  # fmt: skip
    name = worker["metadata"]["name"]
    bot.api.patch("Pod", bot.namespace, name, {"status": {"conditions": [unschedulable]}}, subresource="status")

    code, report_of = findings(user, "bot")
    found = report_of[f"{bot.namespace}/bot"]
    assert code == 1
    assert said(found, "references", "wrong") == ["Secret tokens has no key telegram, or it is empty"]
    [fix] = [each["fix"] for each in found if each["check"] == "references"]
    assert fix == "its keys with a value are: other; mend spec.platforms.telegram.tokenSecretRef, or the Secret"
    assert said(found, "pods", "wrong") == [
        f"{gateway['metadata']['name']}, container gptbot, cannot pull its image: {waiting['message']}",
        f"{name} finds no node: 0/3 nodes are available: 3 Insufficient memory.",
    ]
    assert said(found, "service", "wrong") == ["Service bot-web has no gateway behind it that is ready"]
    assert any("metrics" in what for what in said(found, "autoscaler", "wrong") or said(found, "autoscaler", "note"))
    assert all(each["fix"] for each in found if each["level"] == "wrong")

    ended = gptbot(plane.kubeconfig("admin"), "-n", "nowhere", "doctor", "bot", "-n", bot.namespace)
    assert ended.returncode == 1
    assert "✗ operator: no operator is installed" in ended.stdout, "it runs as a process here, not as a Deployment"
    assert "things are wrong" in ended.stdout
    assert "hunter2" not in ended.stdout


def _container(bot: Bot, pod: dict[str, Any], state: dict[str, Any]) -> None:
    status = {
        "name": "gptbot", "image": "gptbot:test", "imageID": "", "ready": False, "restartCount": 0, "state": state,
    }  # fmt: skip
    change = {"status": {"phase": "Pending", "containerStatuses": [status]}}
    bot.api.patch("Pod", bot.namespace, pod["metadata"]["name"], change, subresource="status")


def test_the_doctor_sees_that_nobody_looks(make_bot: MakeBot, user: Path, operator: OperatorProcess) -> None:
    bot = make_bot()
    bot.wait_settled()
    operator.stop()
    try:
        bot.edit(suspend=True)
        code, report_of = findings(user, "bot")
    finally:
        operator.start_when_needed()
    [what] = said(report_of[f"{bot.namespace}/bot"], "operator", "wrong")
    assert (code, what) == (1, "an operator has looked at generation 1 of the spec; the newest is 2")


def test_a_new_bot_is_applied_and_served(user: Path, plane: Plane, namespace: str) -> None:
    flags = [
        "--platform", "telegram", "--platform", "web", "--telegram-token", "123:hunter2", "--model-url",
        "http://model/v1", "--model", "m", "--model-key", "hunter2", "--prompt", "You sell fridges.",
    ]  # fmt: skip
    ended = gptbot(user, "new", "shop", *flags, "--apply")
    assert ended.returncode == 0, ended.stderr
    assert "hunter2" not in ended.stdout + ended.stderr
    bot = Bot(plane.api, namespace, "shop")
    bot.wait_condition("SecretsResolved", "True")
    assert bot.document["spec"]["personas"][0]["prompt"] == "You sell fridges."
    again = gptbot(user, "new", "shop", *flags, "--apply")
    assert (again.returncode, "there is a GptBot shop already" in again.stderr) == (1, True), again.stderr


def test_a_cluster_that_does_not_answer(plane: Plane, tmp_path: Path) -> None:
    document = yaml.safe_load(plane.kubeconfig("admin").read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    kubeconfig = tmp_path / "away.conf"
    kubeconfig.write_text(yaml.safe_dump(document))
    for command in (["status"], ["doctor"], ["show", "bot"], ["logs", "bot"], ["chat", "bot", "Hi"]):
        ended = gptbot(kubeconfig, *command)
        assert (ended.returncode, ended.stdout) == (1, "")
        [line] = ended.stderr.splitlines()
        assert "127.0.0.1:1" in line
        assert "kubectl config view --minify" in line
