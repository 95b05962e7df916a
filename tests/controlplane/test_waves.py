"""Another image reaches the bots of an installation wave by wave, whatever becomes of the operator meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gptbot.inbox.store import Store
from gptbot_operator.board import STATUS_ANNOTATION
from tests.controlplane.bot import Bot
from tests.controlplane.client import Document
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.plugin import answer, gptbot
from tests.controlplane.running import OperatorProcess
from tests.controlplane.test_status import report

OLD, NEW, MENDED = "gptbot:1", "gptbot:2", "gptbot:3"
WORKERS = {"minReplicas": 1, "maxReplicas": 1}


class Fleet:
    """Bots of one namespace, the installation that serves them, and what a kubelet does there."""

    def __init__(self, plane: Plane, namespace: str, store_url: str, directory: Path, most: str) -> None:
        self.plane, self.namespace = plane, namespace
        verbs = "--verb=create,get,update"
        plane.kubectl("-n", namespace, "create", "role", "lease", verbs, "--resource=leases.coordination.k8s.io")
        plane.kubectl("-n", namespace, "create", "rolebinding", "lease", "--role=lease", "--user=operator")
        self.lease = f"{namespace}/gptbot-operator"
        self._directory = directory
        self._environment = {
            "GPTBOT_STORE_URL": store_url, "GPTBOT_NAMESPACES": namespace, "GPTBOT_LEASE": self.lease,
            "GPTBOT_LEASE_SECONDS": "15", "GPTBOT_ROLLOUT_MAX_UNAVAILABLE_BOTS": most, "GPTBOT_ROLLOUT_PAUSE": "1s",
        }  # fmt: skip
        self.bots: list[Bot] = []
        self.operator: OperatorProcess | None = None

    def run(self, image: str) -> None:
        """Have an operator of that image lead, in place of the one before."""
        self.stop()
        self.operator = OperatorProcess(self.plane, self._directory, GPTBOT_IMAGE=image, **self._environment)
        self.operator.start()
        operator = self.operator
        wait_for(lambda: operator.metric("gptbot_operator_leader") == 1, "it leads", 60)

    def stop(self) -> None:
        if self.operator is not None:
            self.operator.stop()
            self.operator = None

    async def make(self, count: int, store: Store, **spec: Any) -> None:
        """Bots that answer."""
        for number in range(count):
            bot = Bot(self.plane.api, self.namespace, f"bot-{number}")
            bot.create(workers=WORKERS, **spec)
            self.bots.append(bot)
        for bot in self.bots:
            bot.the("Deployment", "worker")
            await report(store, bot, "web", True)
        self.bots[0].run_pods()
        for bot in self.bots:
            bot.wait_condition("Ready", "True")

    def looks(self, count: int = 2) -> None:
        """Wait until each bot was looked at so many times."""
        assert self.operator is not None
        self.operator.looks_at(*self.bots, count=count)

    def deployments(self) -> dict[tuple[str, str], Document]:
        """By the names of bot and component."""
        found = self.plane.api.list("Deployment", self.namespace)
        labels = [each["metadata"]["labels"] for each in found]
        keys = [(each["gptbot.dev/bot"], each["app.kubernetes.io/component"]) for each in labels]
        return dict(zip(keys, found, strict=True))

    def images(self, component: str) -> dict[str, str]:
        """Of each bot."""
        return {bot: image(each) for (bot, part), each in self.deployments().items() if part == component}

    def start_pods(self, bot: str, component: str) -> None:
        """All pods of a Deployment work, and none of before is left."""

        def works() -> bool:
            for pod in self._pods(bot, component):
                status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
                name = pod["metadata"]["name"]
                self.plane.api.patch_if_there("Pod", self.namespace, name, {"status": status}, subresource="status")
            return complete(self.deployments()[bot, component])

        wait_for(works, f"pods of {bot}-{component}")

    def break_pods(self, bot: str, component: str) -> None:
        """New pods of a Deployment cannot be started."""
        waiting = {"waiting": {"reason": "ImagePullBackOff"}}
        containers = [{
            "name": "gptbot", "image": NEW, "imageID": "", "ready": False, "restartCount": 0, "state": waiting,
        }]  # fmt: skip

        def broken() -> bool:
            new = [pod for pod in self._pods(bot, component) if pod["spec"]["containers"][0]["image"] == NEW]
            for pod in new:
                change = {"status": {"phase": "Pending", "containerStatuses": containers}}
                self.plane.api.patch("Pod", self.namespace, pod["metadata"]["name"], change, subresource="status")
            return bool(new)

        wait_for(broken, "a new pod")

    def _pods(self, bot: str, component: str) -> list[Document]:
        return [
            pod
            for pod in self.plane.api.list("Pod", self.namespace)
            if pod["metadata"]["labels"]["gptbot.dev/bot"] == bot
            and pod["metadata"]["labels"]["app.kubernetes.io/component"] == component
        ]

    def plugin(self, *arguments: str) -> Any:
        """Run `kubectl gptbot rollout`; what it printed."""
        ended = gptbot(self.plane.kubeconfig("admin"), "rollout", *arguments, self.lease)
        assert ended.returncode == 0, ended.stderr
        return ended

    def stands(self) -> Document:
        """What `kubectl gptbot rollout status` says of the installation."""
        [found] = answer(self.plugin("status", "-o", "json"))["installations"]
        return found

    def wait_paused(self) -> None:
        """Wait until the leader has read that it is to begin nothing: `kubectl gptbot rollout` says it before."""

        def read() -> bool:
            lease = self.plane.get("-n", self.namespace, "lease", self.lease.split("/")[1])
            return json.loads(lease["metadata"]["annotations"][STATUS_ANNOTATION])["state"] == "paused"

        wait_for(read, "the leader has read it", 60)

    def wait_stands(self, state: str) -> Document:
        wait_for(lambda: self.stands()["state"] == state, state, 60)
        return self.stands()


def image(deployment: Document) -> str:
    """Of the bot's container."""
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


def complete(deployment: Document) -> bool:
    """Whether all pods are of the newest template and work."""
    status = deployment["status"]
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return counts == {deployment["spec"]["replicas"]} and (
        status.get("observedGeneration") == deployment["metadata"]["generation"]
    )


@pytest.fixture
def fleet(
    request: pytest.FixtureRequest, plane: Plane, stopped: OperatorProcess, namespace: str, store_url: str,
    tmp_path: Path,
) -> Iterator[Fleet]:  # fmt: skip
    """A fleet of bots with the old image; the operator that other tests share rests meanwhile."""
    stopped.stop()
    made = Fleet(plane, namespace, store_url, tmp_path, request.param)
    yield made
    made.stop()
    assert "Traceback" not in (tmp_path / "operator.log").read_text()


@pytest.mark.parametrize("fleet", ["25%"], indirect=True)
async def test_ten_bots_two_at_a_time_gateways_first_over_a_restart(fleet: Fleet, store: Store) -> None:
    fleet.run(OLD)
    await fleet.make(10, store)
    fleet.bots[9].edit(suspend=True)
    fleet.bots[9].wait_condition("Ready", "False", "Suspended")
    fleet.run(NEW)
    done: set[str] = set()
    seen: list[int] = []
    restarted = False
    while len(done) < 9:
        fleet.looks()
        now = fleet.deployments()
        assert image(now["bot-9", "gateway"]) == NEW, "a suspended bot does not wait"
        begun = {bot for (bot, part), each in now.items() if part == "gateway" and image(each) == NEW} - {"bot-9"}
        middle = {bot for bot in begun if not (complete(now[bot, "gateway"]) and complete(now[bot, "worker"])
                                               and image(now[bot, "worker"]) == NEW)}  # fmt: skip
        seen.append(len(middle))
        assert len(middle) <= 2, f"25% of nine bots are two: {middle}"
        for bot in begun - done:
            if not complete(now[bot, "gateway"]):
                assert image(now[bot, "worker"]) == OLD, "workers come after their gateway"
                fleet.start_pods(bot, "gateway")
            elif image(now[bot, "worker"]) == NEW:
                fleet.start_pods(bot, "worker")
                done.add(bot)
        if len(done) >= 4 and middle and not restarted:
            restarted = True
            fleet.run(NEW)
    assert restarted
    assert 2 in seen
    stands = fleet.wait_stands("complete")
    assert (stands["newest"], stands["waiting"], stands["failed"]) == (9, 0, 0)
    assert set(fleet.images("worker").values()) == {NEW}
    assert fleet.bots[0].wait_condition("Progressing", "False", "Complete") == ""
    assert fleet.operator is not None
    assert any('rollout_bots{state="newest"} 9.0' in line for line in fleet.operator.metrics())


@pytest.mark.parametrize("fleet", ["1"], indirect=True)
async def test_it_stops_where_pods_fail_and_goes_on_without_them_or_with_a_mended_image(
    fleet: Fleet, store: Store
) -> None:
    fleet.run(OLD)
    await fleet.make(4, store)
    fleet.run(NEW)
    wait_for(lambda: NEW in fleet.images("gateway").values(), "a bot is begun")
    fleet.break_pods("bot-0", "gateway")
    stands = fleet.wait_stands("stopped")
    assert (stands["rolling"], stands["waiting"], stands["failed"]) == (0, 3, 1)
    assert stands["failedBots"][0]["bot"] == f"{fleet.namespace}/bot-0"
    assert "ImagePullBackOff" in stands["failedBots"][0]["why"]
    said = fleet.plugin("status").stdout
    assert "stopped" in said
    assert f"failed   {fleet.namespace}/bot-0: bot-0-gateway: ImagePullBackOff" in said
    [event] = [each for each in fleet.plane.api.list("Event", fleet.namespace) if each["reason"] == "RolloutStopped"]
    assert (event["type"], event["regarding"]["name"]) == ("Warning", "bot-0")
    assert fleet.operator is not None
    assert fleet.operator.metric("gptbot_operator_rollout_stopped") == 1
    assert "kubectl gptbot rollout status" in fleet.bots[1].wait_condition("Progressing", "False", "WaitingForRollout")

    fleet.looks()
    fleet.run(NEW)  # another operator sees the same
    fleet.wait_stands("stopped")
    assert list(fleet.images("gateway").values()).count(NEW) == 1
    # What the owner of a bot wants is not kept back: pods at once, a number of workers without new pods.
    fleet.bots[3].edit(gateway={"concurrency": 7})
    wait_for(lambda: fleet.images("gateway")["bot-3"] == NEW == fleet.images("worker")["bot-3"], "the owner's edit")
    fleet.bots[2].edit(workers={"minReplicas": 2, "maxReplicas": 2}, limits={"tokensPerDay": 5})
    wait_for(lambda: fleet.bots[2].replicas() == 2, "more workers")
    wait_for(lambda: "tokensPerDay: 5" in fleet.bots[2].the("ConfigMap", "gptbot")["data"]["bot.yaml"], "a live edit")
    assert "maxMessages" not in fleet.bots[2].the("ConfigMap", "gptbot")["data"]["bot.yaml"], "for pods of before"
    assert fleet.images("worker")["bot-2"] == OLD
    assert fleet.images("gateway")["bot-2"] == OLD

    assert "1 that fail are left out" in fleet.plugin("resume").stdout
    wait_for(lambda: fleet.images("gateway")["bot-1"] == NEW, "the next one is begun")
    assert "paused" in fleet.plugin("pause").stdout
    assert fleet.stands()["state"] == "paused"
    fleet.wait_paused()
    fleet.start_pods("bot-1", "gateway")
    fleet.run(NEW)
    fleet.looks()
    assert fleet.images("worker")["bot-1"] == OLD, "a pause outlasts the operator"
    assert fleet.images("worker")["bot-2"] == OLD

    fleet.run(MENDED)
    fleet.plugin("resume")
    for _ in range(4):
        for component in ("gateway", "worker"):
            bot = wait_for(lambda: _awaited(fleet, component), f"a {component} is begun")  # noqa: B023
            fleet.start_pods(bot, component)
    fleet.wait_stands("complete")
    assert {*fleet.images("gateway").values(), *fleet.images("worker").values()} == {MENDED}
    assert "maxMessages" in fleet.bots[2].the("ConfigMap", "gptbot")["data"]["bot.yaml"]


def _awaited(fleet: Fleet, component: str) -> str | None:
    """The bot whose new pods of a component are awaited."""
    for (bot, part), each in fleet.deployments().items():
        if part == component and image(each) == MENDED and not complete(each):
            return bot
    return None


@pytest.mark.parametrize("fleet", ["1"], indirect=True)
async def test_deployments_of_an_older_operator_wait_too_and_nothing_is_written_at_rest(
    fleet: Fleet, store: Store
) -> None:
    fleet.run(OLD)
    await fleet.make(3, store)
    fleet.stop()
    for bot in fleet.bots:  # as an operator leaves them that knows no waves
        for part in ("gateway", "worker"):
            without = {"metadata": {"annotations": {"gptbot.dev/rolled": None}}}
            fleet.plane.api.patch("Deployment", fleet.namespace, f"{bot.name}-{part}", without)
    fleet.run(NEW)
    wait_for(lambda: NEW in fleet.images("gateway").values(), "a bot is begun")
    fleet.looks()
    assert sorted(fleet.images("gateway").values()) == [OLD, OLD, NEW]
    fleet.bots[2].edit(gateway={"concurrency": 7})
    wait_for(lambda: fleet.images("worker")["bot-2"] == NEW, "the owner's edit")
    fleet.looks()
    assert fleet.images("gateway")["bot-1"] == OLD
    assert fleet.operator is not None
    requests = 'gptbot_operator_api_requests_total{method="PATCH"}'
    before = [line for line in fleet.operator.metrics() if line.startswith(requests)]
    fleet.looks(6)
    assert [line for line in fleet.operator.metrics() if line.startswith(requests)] == before
    lease = fleet.plane.get("-n", fleet.namespace, "lease", "gptbot-operator")
    assert json.loads(lease["metadata"]["annotations"]["gptbot.dev/rollout-status"])["waiting"] == 1
