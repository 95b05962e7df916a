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


def test_an_operator_that_is_older_than_the_crd_says_nothing_wrong_of_its_bots(
    plane: Plane, namespace: str, upgrade: Run, stopped: OperatorProcess
) -> None:
    """While an upgrade is under way: the API server fills in a default that only the next operator knows."""
    bot = Bot(plane.api, namespace, "bot")
    bot.create()
    bot.the("Deployment", "gateway")
    before = bot.wait_condition("Ready", "False")
    stopped.stop()  # its watches may show the bot by the older schema for a while
    install(plane, future=True, number=MINE + 1)

    def filled_in() -> bool:
        bot.api.patch("GptBot", namespace, "bot", {"metadata": {"labels": {"touched": os.urandom(4).hex()}}})
        return "pace" in bot.document["spec"]["workers"]

    wait_for(filled_in, "the newer schema is in effect")
    bot.edit(suspend=True)
    told = stopped.log.stat().st_size
    stopped.start()

    def met() -> bool:
        lines = [json.loads(line) for line in stopped.log.read_bytes()[told:].splitlines() if line.startswith(b"{")]
        ours = [line for line in lines if line.get("bot") == f"{namespace}/bot"]
        return any("the CRD is newer than this operator" in line.get("reason", "") for line in ours)

    wait_for(met, "the operator meets what it does not know")
    assert bot.conditions()["Ready"][2] == before
    assert bot.the("Deployment", "gateway")["spec"]["replicas"] == 1
    assert upgrade(**{SWITCH: str(MINE + 1)}).returncode == 0
    bot.wait_condition("Ready", "False", "Suspended")
