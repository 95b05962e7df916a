"""Another bot image reaches five bots while people talk to one: one bot at a time is not ready, and nothing is lost.

Its name has it come before the modules that share one release: only one operator may run. The store is beside the
release, since the chart's own, which comes out of the bot image, would be replaced too.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.chart.rendering import CHART, ROOT
from tests.e2e import bots as made
from tests.e2e import cluster, store
from tests.e2e.cluster import Object
from tests.e2e.conftest import Release, bot_image, installed, values
from tests.e2e.fakes import API_KEYS, Fakes, ScriptedModel
from tests.e2e.plugin import printed
from tests.e2e.traffic import traffic

pytestmark = pytest.mark.timeout(1500)

SECOND = "docker.io/library/gptbot:second"
"""The image under test by another name."""
MILL = "mill"
NAMES = [MILL, *(f"page-{number}" for number in range(4))]


@pytest.fixture(scope="module")
def upgrade(run: str, fakes_in_cluster: Fakes) -> Generator[tuple[Release, Release]]:
    """A release, and what it is upgraded to: the same but for the bot image's tag."""
    environment = os.environ | {"BOT_IMAGE": SECOND}
    command = [ROOT / "scripts" / "images.sh", "bot"]
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert built.returncode == 0, f"the second tag: {built.stdout[-2000:]}{built.stderr[-2000:]}"
    store.start(fakes_in_cluster.namespace, bot_image())
    before, after = (_values(image) for image in (bot_image(), SECOND))
    objects = [store.secret(fakes_in_cluster.namespace)]
    with installed(CHART, f"gptbot-rollout-{run}", before, objects) as release:
        yield release, Release(release.name, release.namespace, CHART, after)


def _values(image: str) -> dict[str, Any]:
    given = values(image) | {"model": {"enabled": False}} | store.VALUES
    operator = given["operator"] | {"rollout": {"maxUnavailableBots": "10%", "pause": "5s"}}
    return given | {"operator": operator}


def page(name: str, fakes: Fakes) -> list[Object]:
    """A bot on the web page alone, with a gateway and a worker."""
    secret, bot = made.on_telegram(name, fakes)
    bot["spec"] |= {"platforms": {"web": {}}, "workers": {"minReplicas": 1, "maxReplicas": 1}}
    return [secret, bot]


@dataclass
class Watch:
    """What is seen of the bots from outside, several times a second."""

    namespace: str
    most: int = 0
    """Bots that were not ready, or had no gateway, at a time."""
    early: set[str] = field(default_factory=set[str])
    """Bots whose workers came before their gateway."""
    looks: int = 0
    _end: bool = False

    async def until_stopped(self) -> None:
        """Look, and look again."""
        while not self._end:
            await asyncio.to_thread(self._look)
            await asyncio.sleep(0.3)

    def stop(self) -> None:
        """End with the look that is under way."""
        self._end = True

    def _look(self) -> None:
        found = cluster.items("--namespace", self.namespace, "gptbots,deployments")
        deployments = {each["metadata"]["name"]: each for each in found if each["kind"] == "Deployment"}
        bots = [each for each in found if each["kind"] == "GptBot"]
        down = [each for each in bots if not _ready(each) or not _available(deployments, each["metadata"]["name"])]
        self.most = max(self.most, len(down))
        for name in NAMES:
            if SECOND in _image(deployments[f"{name}-worker"]) and SECOND not in _image(deployments[f"{name}-gateway"]):
                self.early.add(name)
        self.looks += 1


def _ready(bot: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in bot["status"]["conditions"])


def _available(deployments: dict[str, Object], name: str) -> bool:
    return deployments[f"{name}-gateway"]["status"].get("availableReplicas", 0) > 0


def _image(deployment: Object) -> str:
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


async def test_one_bot_at_a_time_and_every_question_is_answered(
    upgrade: tuple[Release, Release], bots: str, fakes_in_cluster: Fakes
) -> None:
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    await model.take_keys(API_KEYS[0])  # whatever other tests left
    cluster.apply(bots, made.on_telegram(MILL, fakes_in_cluster))
    for name in NAMES[1:]:
        cluster.apply(bots, page(name, fakes_in_cluster))
    for name in NAMES:
        made.wait_until_ready(bots, name)
    watch = Watch(bots)
    watching = asyncio.create_task(watch.until_stopped())
    try:
        async with traffic(fakes_in_cluster.here["telegram"], model, people=3) as people:
            await people.until(3)
            await upgrade[1].helm_meanwhile("upgrade", "--wait")
            await cluster.meanwhile("all bots have the second image", lambda: _stands(upgrade[0]) == "complete", 600)
            await people.until(3)
    finally:
        watch.stop()
        await watching
    assert watch.looks > 20
    assert watch.most <= 1, "10% of five bots is one"
    assert not watch.early, "gateways come first"
    assert not people.doubled, people.doubled
    for name in NAMES:
        for part in ("gateway", "worker"):
            assert _image(cluster.get("--namespace", bots, "deployment", f"{name}-{part}")) == SECOND


def _stands(release: Release) -> str:
    """`complete` once all bots have the image of the newest release."""
    said = printed(release.namespace, "rollout", "status", f"{release.name}-gptbot-operator", "-o", "json")
    [stands] = json.loads(said)["installations"]
    return stands["state"] if stands.get("image") == SECOND else "before"
