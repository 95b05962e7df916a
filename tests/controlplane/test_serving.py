"""Two installations of the operator in one cluster: each bot is served by one of them, and nobody fights."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.controlplane.bot import Bot
from tests.controlplane.client import Document
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

ELSEWHERE = "gptbot_operator_bots_served_by_another"


class Installation:
    """One release of the chart, as far as the cluster sees it: a namespace, a Lease, an operator."""

    def __init__(self, plane: Plane, directory: Path, image: str, **environment: str) -> None:
        self.image = f"gptbot:{image}"
        self.namespace = f"gptbot-{image}-{uuid.uuid4().hex[:6]}"
        self.name = f"{self.namespace}/gptbot-operator"
        plane.api.create_namespace(self.namespace)
        verbs = "--verb=create,get,update"
        plane.kubectl("-n", self.namespace, "create", "role", "lease", verbs, "--resource=leases.coordination.k8s.io")
        plane.kubectl("-n", self.namespace, "create", "rolebinding", "lease", "--role=lease", "--user=operator")
        home = directory / image
        home.mkdir()
        settings = {"GPTBOT_LEASE_SECONDS": "10", "GPTBOT_TAKEOVER_SECONDS": "600", "GPTBOT_IMAGE": f"gptbot:{image}"}
        self.operator = OperatorProcess(plane, home, GPTBOT_LEASE=self.name, **settings, **environment)

    def leads(self) -> None:
        """Start it, and wait until it works."""
        self.operator.start()
        wait_for(lambda: self.operator.metric("gptbot_operator_leader") == 1, "it leads", 60)


@pytest.fixture
def two(plane: Plane, absent: None, tmp_path: Path) -> Iterator[tuple[Installation, Installation]]:
    """Two installations that serve all namespaces, with the rights of docs/operator.md; they do not run yet."""
    both = Installation(plane, tmp_path, "blue"), Installation(plane, tmp_path, "green")
    with ExitStack() as stack:  # one that goes on would serve the bots of all tests that follow
        for each in both:
            stack.callback(each.operator.stop)
        yield both
    for each in both:
        if each.operator.log.exists():
            assert "Traceback" not in each.operator.log.read_text()
        plane.api.delete_namespace(each.namespace)


def image_of(bot: Bot) -> str:
    """Which installation's image the bot runs."""
    [container] = bot.the("Deployment", "gateway")["spec"]["template"]["spec"]["containers"]
    return container["image"]


def marks(bot: Bot) -> dict[str, tuple[int, str]]:
    """Generation and version of the bot and its children, but what controllers write to them by themselves."""
    every: dict[str, Document] = {"GptBot": bot.document} | bot.children()
    return {
        key: (each["metadata"].get("generation", 0), each["metadata"]["resourceVersion"])
        for key, each in every.items()
        if each["kind"] not in ("HorizontalPodAutoscaler", "PodDisruptionBudget")
    }


def looks(both: tuple[Installation, Installation], *bots: Bot) -> None:
    """Wait until each operator has looked at each of these bots some more times."""
    for each in both:
        each.operator.looks_at(*bots, seconds=60)


def told(bot: Bot) -> list[str]:
    """Notes of the Events that say who serves the bot."""
    return [e["note"] for e in bot.api.list("Event", bot.namespace) if e["reason"] == "ServedByAnother"]


def test_the_second_stands_back_and_takes_over_when_the_first_is_gone(
    plane: Plane, namespace: str, two: tuple[Installation, Installation]
) -> None:
    first, second = two
    first.leads()
    bot = Bot(plane.api, namespace, "bot")
    bot.create()
    bot.the("Deployment", "worker")
    bot.wait_settled()
    assert bot.document["status"]["servedBy"] == first.name
    assert image_of(bot) == "gptbot:blue"

    second.leads()
    wait_for(lambda: second.operator.metric(ELSEWHERE) >= 1, "the second stands back")
    wait_for(lambda: told(bot), "an Event of the second")
    [note] = told(bot)
    assert f"{first.name} serves the bot; {second.name} stands back" in note
    looks(two, bot)
    before = marks(bot)
    looks(two, bot)
    assert marks(bot) == before, "generations and versions stand still"
    assert image_of(bot) == "gptbot:blue"

    first.operator.stop()
    first.leads()
    looks(two, bot)
    assert bot.document["status"]["servedBy"] == first.name, "a restart changes nothing"
    assert marks(bot) == before
    assert len(told(bot)) == 1

    first.operator.kill()
    second.operator.stop()
    second.operator.environment["GPTBOT_TAKEOVER_SECONDS"] = "12"  # no shorter than the other's Lease lasts
    second.leads()
    wait_for(lambda: image_of(bot) == "gptbot:green", "the second takes over")
    assert bot.document["status"]["servedBy"] == second.name
    assert second.operator.metric(ELSEWHERE) == 0
    first.leads()
    wait_for(lambda: first.operator.metric(ELSEWHERE) >= 1, "who comes back stands back")
    looks(two, bot)
    assert bot.document["status"]["servedBy"] == second.name
    assert image_of(bot) == "gptbot:green"


def test_two_at_once_agree_on_every_bot(plane: Plane, namespace: str, two: tuple[Installation, Installation]) -> None:
    for each in two:
        each.leads()
    bots = [Bot(plane.api, namespace, f"bot-{number}") for number in range(8)]
    for bot in bots:
        bot.create()
    for bot in bots:
        bot.the("Deployment", "gateway")
        bot.wait_settled()
    looks(two, *bots)
    served = {bot.name: bot.document["status"]["servedBy"] for bot in bots}
    before = [marks(bot) for bot in bots]
    looks(two, *bots)
    assert [marks(bot) for bot in bots] == before
    images = {each.name: each.image for each in two}
    assert {bot.name: image_of(bot) for bot in bots} == {name: images[who] for name, who in served.items()}


def test_a_bot_names_who_is_to_serve_it(plane: Plane, namespace: str, two: tuple[Installation, Installation]) -> None:
    first, second = two
    for each in two:
        each.leads()
    bot = Bot(plane.api, namespace, "bot")
    bot.create(operator=second.name)
    wait_for(lambda: bot.document.get("status", {}).get("servedBy") == second.name, "the one that is named")
    assert image_of(bot) == "gptbot:green"
    bot.edit(operator=first.name)
    wait_for(lambda: image_of(bot) == "gptbot:blue", "it is handed over")
    assert bot.document["status"]["servedBy"] == first.name
    bot.wait_condition("Ready", "False", "NoStore")

    bot.edit(operator="nobody/gptbot-operator")
    assert "nobody/gptbot-operator" in bot.wait_condition("Ready", "Unknown", "ServedByAnother")
    assert "servedBy" not in bot.document["status"]
    looks(two, bot)
    before = marks(bot)
    looks(two, bot)
    assert marks(bot) == before, "nobody touches it"
    refused = plane.kubectl(
        "-n",
        namespace,
        "patch",
        "gptbot",
        "bot",
        "--type=merge",
        "-p",
        '{"spec": {"operator": "Some one"}}',
        check=False,
    )
    assert "spec.operator" in refused.stderr


def test_one_with_a_narrower_sight_lets_go_of_the_rest(
    plane: Plane, namespace: str, absent: None, tmp_path: Path
) -> None:
    wide = Installation(plane, tmp_path, "blue")
    wide.leads()
    bot = Bot(plane.api, namespace, "bot")
    bot.create()
    bot.the("Deployment", "gateway")
    wide.operator.stop()
    (tmp_path / "narrow").mkdir()
    narrow = OperatorProcess(
        plane, tmp_path / "narrow", GPTBOT_LEASE=wide.name, GPTBOT_LEASE_SECONDS="10", GPTBOT_NAMESPACES=wide.namespace
    )
    other = Installation(plane, tmp_path, "green", GPTBOT_NAMESPACES=namespace)
    try:
        narrow.start()
        wait_for(lambda: narrow.metric("gptbot_operator_leader") == 1, "it leads", 60)
        other.leads()
        wait_for(lambda: image_of(bot) == "gptbot:green", "a bot that the living one does not serve is free")
        assert bot.document["status"]["servedBy"] == other.name
    finally:
        narrow.stop()
        other.operator.stop()
        for each in (wide, other):
            plane.api.delete_namespace(each.namespace)
