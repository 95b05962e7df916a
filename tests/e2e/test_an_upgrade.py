"""The release of the commit before is upgraded to this one while people talk to a bot."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.chart.rendering import CHART
from tests.e2e import bots as made
from tests.e2e import cluster, previous, store
from tests.e2e.cluster import Object
from tests.e2e.conftest import Release, bot_image, installed, makes_volumes, values
from tests.e2e.fakes import Fakes, ScriptedModel
from tests.e2e.traffic import traffic
from tests.fakes.telegram.remote import RemoteTelegram

pytestmark = pytest.mark.timeout(1500)

ADA = 21
BEFORE, AFTER = "I want to buy a fridge for four people.", "What did I want to buy?"


@pytest.fixture(scope="module")
def older(
    run: str, fakes_in_cluster: Fakes, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[Release, Release]]:
    """The release of the commit before, with its own images, and what it is upgraded to.

    Without volumes the chart's own store would lose all with a change of its pod, which is as documented: there it is a
    store beside the release.
    """
    tree = previous.unpack(tmp_path_factory.mktemp("previous"))
    previous.build(tree)
    shared: dict[str, Any] = {"model": {"enabled": False}}
    objects: list[Object] = []
    if not makes_volumes():
        store.start(fakes_in_cluster.namespace, bot_image())
        shared |= store.VALUES
        objects = [store.secret(fakes_in_cluster.namespace)]
    chart = tree / "charts" / "gptbot"
    before = values(previous.BOT, previous.OPERATOR, chart) | shared
    with installed(chart, f"gptbot-upgrade-{run}", before, objects) as release:
        yield release, Release(release.name, release.namespace, CHART, values() | shared)


async def test_nothing_is_lost_and_conversations_go_on(
    older: tuple[Release, Release], bots: str, fakes_in_cluster: Fakes
) -> None:
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    cluster.apply(bots, made.on_telegram("mill", fakes_in_cluster))
    made.wait_until_ready(bots, "mill")
    older_pods = made.pods(bots, "mill")
    async with RemoteTelegram(fakes_in_cluster.here["telegram"]) as telegram:
        await telegram.add_user(ADA)
        await model.say("A fridge it is.", match=BEFORE)
        await telegram.say(ADA, ADA, BEFORE)
        await telegram.wait_for_messages(ADA, contains="A fridge it is.", timeout=120)

        async with traffic(fakes_in_cluster.here["telegram"], model, people=4) as people:
            await people.until(8)
            await older[1].helm_meanwhile("upgrade", "--wait")
            await cluster.meanwhile(
                "the upgrade rolls the bot's pods", lambda: not older_pods & made.pods(bots, "mill"), 300
            )
            await people.until(8)
        assert not people.doubled, people.doubled
        made.wait_until_ready(bots, "mill")

        await model.say("A fridge, for four.", match=AFTER)
        await telegram.say(ADA, ADA, AFTER)
        await telegram.wait_for_messages(ADA, contains="A fridge, for four.", timeout=120)
    said = [message["content"] for message in (await model.requests())[-1]["messages"]]
    assert BEFORE in said, "the conversation from before the upgrade is part of the question"
