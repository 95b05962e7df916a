"""A bot is given a store of its own while people talk to it: nothing is lost or doubled, and conversations go on."""

from __future__ import annotations

import pytest

from tests.e2e import bots as made
from tests.e2e import cluster, store
from tests.e2e.conftest import Release, bot_image
from tests.e2e.fakes import API_KEYS, Fakes, ScriptedModel
from tests.e2e.traffic import traffic
from tests.fakes.telegram.remote import RemoteTelegram

pytestmark = pytest.mark.timeout(900)

BOT, ADA = "mover", 41
BEFORE, AFTER = "I want to buy a freezer for a cellar.", "What was it that I wanted?"


async def test_a_bot_moves_to_a_store_of_its_own_under_load(
    release: Release, bots: str, fakes_in_cluster: Fakes
) -> None:
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    await model.take_keys(API_KEYS[0])  # whatever other tests left
    documents = made.on_telegram(BOT, fakes_in_cluster)
    cluster.apply(bots, documents)
    store.start(bots, bot_image())
    made.wait_until_ready(bots, BOT)
    before = made.pods(bots, BOT)
    async with RemoteTelegram(fakes_in_cluster.here["telegram"]) as telegram:
        await telegram.add_user(ADA)
        await model.say("A freezer it is.", match=BEFORE)
        await telegram.say(ADA, ADA, BEFORE)
        await telegram.wait_for_messages(ADA, contains="A freezer it is.", timeout=120)

        async with traffic(fakes_in_cluster.here["telegram"], model, people=6) as people:
            await people.until(6)
            url = f"redis://:{store.PASSWORD}@{store.NAME}.{bots}.svc:{store.PORT}/0"
            made.change(documents, "Secret", url=url)
            made.change(documents, "GptBot", store={"urlSecretRef": {"name": BOT, "key": "url"}})
            cluster.apply(bots, documents)
            await cluster.meanwhile("its pods are others", lambda: not before & made.pods(bots, BOT), 180)
            await people.until(12)
        assert not people.doubled, people.doubled
        made.wait_until_ready(bots, BOT)
        await store.wait_until_nothing_is_left(release.name, release.namespace, f"{bots}/{BOT}")

        await model.say("A freezer, for the cellar.", match=AFTER)
        await telegram.say(ADA, ADA, AFTER)
        await telegram.wait_for_messages(ADA, contains="A freezer, for the cellar.", timeout=120)
    said = [message["content"] for message in (await model.requests())[-1]["messages"]]
    assert BEFORE in said, "the conversation of before is part of the question"
