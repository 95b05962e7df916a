"""Kinds that not every cluster has: without them, and when they come and go. And what follows the store's address."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.controlplane.bot import Bot
from tests.controlplane.optional_kinds import optional_kinds
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

MakeBot = Callable[..., Bot]
BOTH = {
    "host": "bot.example.com",
    "ingress": {"className": "nginx", "annotations": {"note": "mine"}},
    "route": {"parentRefs": [{"name": "public"}]},
}


@pytest.mark.usefixtures("operator")
def test_a_route_without_the_gateway_api_is_said_and_the_rest_is_made(make_bot: MakeBot) -> None:
    bot = make_bot(expose=BOTH)
    message = bot.wait_condition("Ready", "False", "ApplyFailed")
    assert message == (
        "HTTPRoute bot-web: this cluster has no gateway.networking.k8s.io/v1; install the Gateway API, or use"
        " spec.expose.ingress"
    )
    assert bot.the("Ingress", "web")["metadata"]["annotations"]["note"] == "mine"
    bot.edit(expose={"route": None})
    bot.wait_condition("Ready", "False", "GatewayUnavailable")


def test_kinds_that_come_and_go_while_it_runs(
    plane: Plane, make_bot: MakeBot, absent: None, store_url: str, tmp_path: Path
) -> None:
    quick = OperatorProcess(plane, tmp_path, GPTBOT_STORE_URL=store_url, GPTBOT_RESYNC_SECONDS="1")
    try:
        quick.start()
        bot = make_bot(expose=BOTH)
        bot.wait_condition("Ready", "False", "ApplyFailed")
        with optional_kinds(plane):
            bot.the("HTTPRoute", "web")
            bot.the("PodMonitor", "gptbot")
            bot.wait_condition("Ready", "False", "GatewayUnavailable")
            bot.api.delete("PodMonitor", bot.namespace, "bot-gptbot")
            bot.the("PodMonitor", "gptbot")
        bot.wait_condition("Ready", "False", "ApplyFailed")
        bot.edit(expose={"route": None})
        bot.wait_condition("Ready", "False", "GatewayUnavailable")
        bot.edit(workers={"maxReplicas": 0})
        wait_for(lambda: bot.child("Deployment", "worker") is None, "it goes on working")
    finally:
        quick.stop()


@pytest.mark.usefixtures("operator")
def test_the_policy_follows_the_stores_address(make_bot: MakeBot) -> None:
    bot = make_bot(store={"urlSecretRef": {"name": "store", "key": "url"}})

    def allowed() -> str:
        return str(bot.the("NetworkPolicy", "gptbot")["spec"]["egress"])

    assert "7777" not in allowed()
    bot.secret("store", url="redis://:hunter2@10.9.8.7:7777/0")
    wait_for(lambda: "7777" in allowed(), "the store's port", 30)
    bot.secret("store", url="redis://:hunter2@cache.data.svc:7778/0")
    # What the bot keeps is in the other one still, as far as anybody knows: its pods reach both.
    wait_for(lambda: "data" in allowed(), "the other store's namespace")
