"""The CRD in a cluster goes upwards only, says what a way back would cost, and has its objects in one version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gptbot_api.crd import REVISION_ANNOTATION, Version, custom_resource_definition
from gptbot_operator.crd import SWITCH, revision
from tests.controlplane.bot import Bot
from tests.controlplane.plane import CRD as FILE
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.programs import ROOT, program
from tests.controlplane.running import OperatorProcess

NAME = "gptbots.gptbot.dev"
MINE = revision(custom_resource_definition())
Document = dict[str, Any]
IGNORED = "the CRD is newer than this operator; fields of it that bots leave at their default are ignored"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def upgrade(plane: Plane) -> Iterator[Run]:
    """Runs the program as an administrator; the CRD is as before afterwards."""

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gptbot_operator.crd"],
            env=os.environ | {"KUBECONFIG": str(plane.kubeconfig("admin"))} | environment,
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    yield run
    plane.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=helm", "-f", str(FILE))

    def as_before() -> bool:
        found = json.loads(plane.kubectl("get", "--raw", "/apis/gptbot.dev").stdout)
        return [each["version"] for each in found["versions"]] == ["v1alpha1"]

    wait_for(as_before, "the API server serves the versions of before")
    plane.forget_versions()


def install(plane: Plane, *versions: Version, future: bool = False, number: int = MINE) -> None:
    """Put another CRD in the cluster's place, as another release would; `future`: with fields of a newer one."""
    made = custom_resource_definition(*[versions] if versions else [])
    made["metadata"]["annotations"][REVISION_ANNOTATION] = str(number)
    if future:
        with_future(made)
    plane.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=helm", "-f", "-", document=made)


def spec_of(definition: Document) -> Document:
    return definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]


def with_future(definition: Document) -> None:
    """What a newer release has."""
    spec_of(definition)["safety"]["properties"]["future"] = {"type": "string"}
    spec_of(definition)["workers"]["properties"]["pace"] = {"type": "string", "default": "slow"}


def future_of(bot: Bot) -> str | None:
    return bot.document["spec"]["safety"].get("future")


def make(bot: Bot, **spec: Any) -> None:
    """Create a bot, once the API server has taken the new schema."""

    def made() -> bool:
        if bot.api.get("GptBot", bot.namespace, bot.name) is not None:
            bot.edit(**spec)
        else:
            bot.create(**spec)
        return future_of(bot) is not None

    wait_for(made, "the newer schema is in effect")


def test_an_older_operator_leaves_a_newer_crd_alone(plane: Plane, namespace: str, upgrade: Run) -> None:
    install(plane, future=True, number=MINE + 4)
    bot = Bot(plane.api, namespace, "bot")
    make(bot, safety={"future": "in use"})
    before = plane.get("crd", NAME)["metadata"]["resourceVersion"]

    answer = upgrade()
    assert answer.returncode == 0, "its operator works on with the newer one"
    assert f"its revision {MINE + 4} is newer than this operator's {MINE}, and stays" in answer.stdout
    assert f"spec.safety.future (used by {namespace}/bot)" in answer.stdout
    assert "spec.workers.pace (used by nobody)" in answer.stdout, "defaults do not count"
    assert f"set crd.rollbackFrom={MINE + 4} in the chart" in answer.stdout
    assert upgrade(**{SWITCH: str(MINE + 3)}).returncode == 0
    assert plane.get("crd", NAME)["metadata"]["resourceVersion"] == before
    assert future_of(bot) == "in use"

    answer = upgrade(**{SWITCH: str(MINE + 4)})
    assert answer.returncode == 0, answer.stderr
    assert f"went back from revision {MINE + 4} to {MINE}" in answer.stdout
    assert f"dropped: spec.safety.future (used by {namespace}/bot)" in answer.stdout
    assert revision(plane.get("crd", NAME)) == MINE
    wait_for(lambda: future_of(bot) is None, "the API server has dropped it")
    bot.api.delete("GptBot", namespace, "bot")  # what is stored has it until it is written again


def test_a_newer_operator_drops_nothing_that_is_in_use(plane: Plane, namespace: str, upgrade: Run) -> None:
    install(plane, future=True, number=MINE - 1)
    bot = Bot(plane.api, namespace, "bot")
    make(bot, safety={"future": "in use"})
    answer = upgrade()
    assert answer.returncode == 1
    assert f"would drop fields that are in use: spec.safety.future (used by {namespace}/bot)" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert future_of(bot) == "in use"
    bot.edit(safety={"future": None})
    answer = upgrade()
    assert answer.returncode == 0, answer.stderr
    assert "dropped, as nobody uses them: spec.safety.future (used by nobody)" in answer.stdout
    assert revision(plane.get("crd", NAME)) == MINE
    assert upgrade().stdout == f"CRD {NAME}: revision {MINE} is applied\n"


def test_all_bots_are_stored_in_the_storage_version(plane: Plane, namespace: str, upgrade: Run) -> None:
    """As when a release makes another version the one to store: here v1beta1 has been it, and v1alpha1 follows."""

    def stored() -> str:
        key = f"/registry/gptbot.dev/gptbots/{namespace}/bot"
        run = [program("etcdctl"), f"--endpoints={plane.etcd}", "get", "--print-value-only", key]
        text = subprocess.run(run, capture_output=True, text=True, check=True, timeout=30).stdout
        return "v1beta1" if '"apiVersion":"gptbot.dev/v1beta1"' in text else "v1alpha1" if text else ""

    bot = Bot(plane.api, namespace, "bot")
    bot.create()
    assert stored() == "v1alpha1"
    install(plane, Version("v1alpha1", deprecated="use gptbot.dev/v1beta1"), Version("v1beta1", storage=True))

    def rewritten() -> bool:
        bot.api.patch("GptBot", namespace, "bot", {"metadata": {"labels": {"touched": os.urandom(4).hex()}}})
        return stored() == "v1beta1"

    wait_for(rewritten, "v1beta1 is stored")
    warned = plane.kubectl("-n", namespace, "get", "gptbots.v1alpha1.gptbot.dev", "bot")
    assert "Warning: use gptbot.dev/v1beta1" in warned.stderr
    answer = upgrade()
    assert answer.returncode == 1
    assert "GptBots are stored in v1beta1, which this operator's CRD does not know" in answer.stderr

    install(plane, Version("v1alpha1", storage=True), Version("v1beta1"))
    assert set(plane.get("crd", NAME)["status"]["storedVersions"]) == {"v1alpha1", "v1beta1"}
    before = bot.document
    migrate = "from gptbot_operator import crd; crd._connect(); print(crd.migrate('gptbots.gptbot.dev'))"
    answer = subprocess.run(
        [sys.executable, "-c", migrate], env=os.environ | {"KUBECONFIG": str(plane.kubeconfig("admin"))}, cwd=ROOT,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) >= 1, "how many there are"
    assert stored() == "v1alpha1"
    assert plane.get("crd", NAME)["status"]["storedVersions"] == ["v1alpha1"]
    assert bot.document["spec"] == before["spec"]
    assert bot.document["metadata"]["generation"] == before["metadata"]["generation"]
    answer = upgrade()
    assert answer.returncode == 0, answer.stderr
    assert [each["name"] for each in plane.get("crd", NAME)["spec"]["versions"]] == ["v1alpha1"]


def test_an_older_operator_works_on_with_bots_that_use_nothing_newer(
    plane: Plane, namespace: str, upgrade: Run, operator: OperatorProcess
) -> None:
    """The API server fills in a default that only a newer operator knows, whoever wrote the bot."""
    bot = Bot(plane.api, namespace, "bot")
    bot.create(workers={"minReplicas": 2, "maxReplicas": 2})
    bot.wait_settled()
    template = bot.the("Deployment", "gateway")["spec"]["template"]
    since = operator.log.stat().st_size
    install(plane, future=True, number=MINE + 1)

    def meets_it() -> bool:
        bot.api.patch("GptBot", namespace, "bot", {"metadata": {"labels": {"touched": os.urandom(4).hex()}}})
        return any(entry.get("fields") == ["spec.workers.pace"] for entry in operator.logged(since, IGNORED))

    wait_for(meets_it, "its watch shows what it does not know", 60)
    bot.edit(workers={"maxReplicas": 3, "minReplicas": 3})
    assert bot.document["spec"]["workers"]["pace"] == "slow"
    wait_for(lambda: bot.replicas() == 3, "the bot is looked at as any other")
    bot.wait_settled()
    assert bot.the("Deployment", "gateway")["spec"]["template"] == template, "no pod of its is replaced"
    bot.wait_condition("Ready", "False", "GatewayUnavailable")

    before = bot.conditions()["Ready"]
    since = operator.log.stat().st_size
    bot.edit(safety={"future": "in use"}, workers={"maxReplicas": 4, "minReplicas": 4})
    told = 'spec.safety.future: unknown field "spec.safety.future": the CRD of the cluster has it, and is newer than'

    def is_told() -> str:
        entries = operator.logged(since, "unfinished")
        return "".join(each["reason"] for each in entries if each["bot"] == f"{namespace}/bot")

    assert told in wait_for(is_told, "what is used is told")
    assert "spec.workers.pace" not in is_told(), "and nothing else"
    operator.looks_at(bot, count=1)
    assert bot.conditions()["Ready"] == before, "for a minute, a newer operator may be on its way"
    assert bot.replicas() == 3
    bot.edit(safety={"future": None})
    wait_for(lambda: bot.replicas() == 4, "it goes on")
    assert upgrade(**{SWITCH: str(MINE + 1)}).returncode == 0


def test_a_bot_that_another_crd_let_through_can_be_suspended(
    plane: Plane, namespace: str, upgrade: Run, operator: OperatorProcess
) -> None:
    """The API server judges only what changes, and the operator stops the pods though it applies nothing."""
    bot = Bot(plane.api, namespace, "bot")
    bot.create()
    bot.wait_settled()
    lax = custom_resource_definition()
    del spec_of(lax)["answerIn"]["properties"]["groups"]["enum"]
    plane.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=helm", "-f", "-", document=lax)

    def let_through() -> bool:
        try:
            bot.edit(answerIn={"groups": "never"}, gateway={"replicas": 2})
        except AssertionError:
            return False
        return True

    wait_for(let_through, "the other CRD is in effect")
    assert "spec.answerIn.groups" in bot.wait_condition("Ready", "False", "InvalidSpec")
    assert upgrade().returncode == 0
    strict = bot.document
    strict["metadata"] = {"name": "other", "namespace": namespace}
    wait_for(lambda: "spec.answerIn.groups" in bot.api.refusal(strict), "the CRD is as it was")
    bot.edit(suspend=True)
    wait_for(lambda: bot.the("Deployment", "gateway")["spec"]["replicas"] == bot.replicas() == 0, "it is stopped")
    bot.wait_condition("Progressing", "False", "Suspended")
    bot.wait_condition("Ready", "False", "InvalidSpec")
    operator.looks_at(bot, count=1)
    bot.edit(answerIn={"groups": "commands"}, suspend=False)
    wait_for(lambda: bot.the("Deployment", "gateway")["spec"]["replicas"] == 2, "all of the spec is applied")
    wait_for(lambda: bot.replicas() >= 1, "the autoscaler's least")
