"""Two operators of a release: the one that works is killed in the middle of it, and the other goes on.

Bots are made and edited all the while, and people are answered, who notice nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from tests.e2e import bots as made
from tests.e2e import cluster, nodes
from tests.e2e.cluster import Object
from tests.e2e.conftest import Release, bot_image, namespace
from tests.e2e.fakes import API_KEYS, Fakes, ScriptedModel
from tests.e2e.traffic import Traffic, traffic

pytestmark = pytest.mark.timeout(900)

TALKER = "talker"
SLACK_SECONDS = 15.0
"""How long one that stands by may take to notice, at most: it looks every second, on a machine that may be busy."""


@dataclass
class Fleet:
    """Bots that have no pods, and what each is to be: its role's prompt, and the memory that its gateways ask for."""

    namespace: str
    prompts: dict[str, int] = field(default_factory=dict[str, int])
    memory: dict[str, int] = field(default_factory=dict[str, int])
    edits: int = 0

    def create(self, *names: str) -> None:
        """More bots."""
        self.memory |= dict.fromkeys(names, 64)
        self.edit(names)

    def edit(self, names: Iterable[str] = ()) -> None:
        """Another prompt for each, which is no reason for other pods."""
        self.edits += 1
        names = tuple(names or self.memory)
        self.prompts |= dict.fromkeys(names, self.edits)
        cluster.apply(self.namespace, map(self._bot, names))

    def resize(self, *names: str) -> None:
        """Other pods: one more ReplicaSet for each."""
        self.memory |= dict.fromkeys(names, 96)
        self.edit(names)

    def _bot(self, name: str) -> Object:
        spec: dict[str, Any] = {
            "platforms": {"web": {}},
            "llm": {"embedded": {}},
            "personas": [{"name": "a", "title": "A", "prompt": _prompt(self.prompts[name])}],
            "gateway": {"resources": {"requests": {"memory": f"{self.memory[name]}Mi"}}},
            "workers": {"maxReplicas": 0},
            "suspend": True,
        }
        return {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": name}, "spec": spec}

    def unlike(self) -> dict[str, str]:
        """Bots that are not yet as wanted, and in what."""
        listed = "gptbots,configmaps,deployments,secrets"
        objects = {
            (each["kind"], each["metadata"]["name"]): each for each in cluster.items("-n", self.namespace, listed)
        }
        return {name: fault for name in self.memory if (fault := self._fault(name, objects))}

    def _fault(self, name: str, objects: dict[tuple[str, str], Object]) -> str:
        bot = objects["GptBot", name]
        if bot.get("status", {}).get("observedGeneration") != bot["metadata"]["generation"]:
            return "its status is old"
        if ("Secret", f"{name}-gptbot") not in objects:
            return "it has no Secret"
        config = objects.get(("ConfigMap", f"{name}-gptbot"))
        said = yaml.safe_load(config["data"]["bot.yaml"])["spec"]["personas"][0]["prompt"] if config else None
        if said != _prompt(self.prompts[name]):
            return f"its prompt is {said!r}"
        gateway = objects.get(("Deployment", f"{name}-gateway"))
        if gateway is None:
            return "it has no Deployment"
        [container] = gateway["spec"]["template"]["spec"]["containers"]
        asked = container["resources"]["requests"]["memory"]
        return "" if asked == f"{self.memory[name]}Mi" else f"its gateway asks for {asked}"

    def wait_until_as_wanted(self) -> None:
        """Raises AssertionError naming those that are not."""
        try:
            cluster.wait_until("all bots are as wanted", lambda: not self.unlike(), 60)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.unlike()}") from None

    def kept(self) -> dict[str, str]:
        """What is made once for each bot and never again, as it is now."""
        return {
            each["metadata"]["name"]: f"{each['metadata']['uid']} {each['data']['pepper']}"
            for each in cluster.items("-n", self.namespace, "secrets", "--selector", "gptbot.dev/bot")
        }

    def written(self) -> dict[str, str]:
        """The versions of all that the operator makes for them."""
        kinds = "configmaps,secrets,deployments,services,networkpolicies,serviceaccounts,gptbots"
        return {
            f"{each['kind']} {each['metadata']['name']}": each["metadata"]["resourceVersion"]
            for each in cluster.items("-n", self.namespace, kinds)
            if (each["metadata"].get("labels") or {}).get("gptbot.dev/bot") in self.memory
            or each["metadata"]["name"] in self.memory
        }


def _prompt(number: int) -> str:
    return f"You are number {number}."


@dataclass(frozen=True)
class Pair:
    """The operators of the release."""

    release: Release
    cloud: str
    """The namespace of who can end processes."""

    @property
    def _lease(self) -> str:
        return f"{self.release.name}-gptbot-operator"

    def lease(self) -> Object:
        """What it says."""
        return cluster.get("-n", self.release.namespace, "lease", self._lease)["spec"]

    def pods(self) -> list[Object]:
        """Their pods."""
        selector = "app.kubernetes.io/part-of=gptbot,app.kubernetes.io/component=operator"
        return cluster.items("-n", self.release.namespace, "pods", "--selector", selector)

    def leader(self) -> Object:
        """The pod of the one that works."""
        holder = self.lease()["holderIdentity"]
        [pod] = [each for each in self.pods() if holder.startswith(f"{each['metadata']['name']}-")]
        return pod

    def wait_for_both(self) -> None:
        """Both are well, and one works."""

        def both() -> bool:
            states = [each["status"].get("containerStatuses", [{}])[0].get("ready") for each in self.pods()]
            return states == [True, True] and bool(self.lease()["holderIdentity"])

        cluster.wait_until("two operators are there", both, 90)

    def kill_process(self, pod: Object) -> None:
        """The process ends, and can say nothing more."""
        nodes.kill_processes(self.cloud, pod, "gptbot-operator")

    def kill_pod(self, pod: Object) -> None:
        """The pod goes, as by an eviction that does not wait."""
        cluster.kill(self.release.namespace, [pod["metadata"]["name"]])

    def wait_for_another(self, before: str, since: float) -> None:
        """Another one takes over, within the time that the Lease of one that died lasts."""
        most = self.lease()["leaseDurationSeconds"] + SLACK_SECONDS
        holder = lambda: self.lease()["holderIdentity"] not in ("", before)  # noqa: E731
        cluster.wait_until("another operator leads", holder, max(0.0, since + most - time.monotonic()))


@pytest.fixture(scope="module")
def pair(release: Release, run: str) -> Generator[Pair]:
    """The release with one more operator."""
    deployment = f"deployment/{release.name}-gptbot-operator"
    scale = ["-n", release.namespace, "scale", deployment, "--replicas"]
    with namespace(f"killer-{run}", security="privileged") as cloud:
        cluster.kubectl(*scale, "2")
        nodes.start_killer(cloud, bot_image())
        made = Pair(release, cloud)
        made.wait_for_both()
        yield made
        cluster.kubectl(*scale, "1")


@asynccontextmanager
async def _edited(fleet: Fleet) -> AsyncGenerator[None]:
    """Somebody edits all the bots, over and over."""
    enough = asyncio.Event()

    async def edit() -> None:
        while not enough.is_set():
            await asyncio.to_thread(fleet.edit, tuple(fleet.memory))

    async with asyncio.TaskGroup() as group:
        group.create_task(edit())
        try:
            yield
        finally:
            enough.set()


async def _killed(pair: Pair, how: str, fleet: Fleet, fresh: list[str], resized: list[str], people: Traffic) -> None:
    """Have the leader killed by a method of Pair, with bots made and resized while nobody leads."""
    await asyncio.to_thread(pair.wait_for_both)
    before, pod = pair.lease()["holderIdentity"], pair.leader()
    async with _edited(fleet):
        await people.until(1)
        await asyncio.to_thread(getattr(pair, how), pod)
        since = time.monotonic()
    await asyncio.to_thread(fleet.create, *fresh)
    await asyncio.to_thread(fleet.resize, *resized)
    await asyncio.to_thread(pair.wait_for_another, before, since)
    await people.until(2)
    await asyncio.to_thread(fleet.wait_until_as_wanted)


async def test_the_leader_is_killed_under_load(pair: Pair, bots: str, fakes_in_cluster: Fakes) -> None:
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    await model.take_keys(API_KEYS[0])  # whatever other tests left
    talker = made.on_telegram(TALKER, fakes_in_cluster)
    made.change(talker, "GptBot", workers={"minReplicas": 1, "maxReplicas": 1})
    fleet = Fleet(bots)
    cluster.apply(bots, talker)
    fleet.create("a", "b", "c", "d")
    made.wait_until_ready(bots, TALKER)
    fleet.wait_until_as_wanted()
    kept, pods = fleet.kept(), made.pods(bots, TALKER)

    async with traffic(fakes_in_cluster.here["telegram"], model, people=3) as people:
        await _killed(pair, "kill_process", fleet, ["e", "f", "g"], ["a", "b"], people)
        await _killed(pair, "kill_pod", fleet, ["h", "i"], ["c", "e"], people)
    assert not people.doubled, people.doubled
    assert not people.out_of_order
    assert made.pods(bots, TALKER) == pods, "nothing of the bot that talked was touched"

    assert fleet.kept().items() >= kept.items(), "Secrets were made anew"
    templates = {f"{name}-gateway": 2 if memory == 96 else 1 for name, memory in fleet.memory.items()}
    templates |= {f"{TALKER}-gateway": 1, f"{TALKER}-worker": 1}
    sets = [each["metadata"]["ownerReferences"][0]["name"] for each in cluster.items("-n", bots, "replicasets")]
    assert {name: sets.count(name) for name in templates} == templates, "a ReplicaSet for each template, and no more"
    generations = {
        each["metadata"]["name"]: each["metadata"]["generation"] for each in cluster.items("-n", bots, "deploy")
    }
    assert generations == templates, "each template was written once"

    quiet = fleet.written()
    fleet.create("last")
    fleet.wait_until_as_wanted()
    after = fleet.written()
    assert {name: after[name] for name in quiet} == quiet, "something is written over and over"
