"""Coming and going: deletion, restarts, namespaces, and what stops the operator from starting."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess, documented_rules

MakeBot = Callable[..., Bot]


def test_a_deleted_bot_takes_its_children_along(make_bot: MakeBot, operator: OperatorProcess) -> None:
    bot, other = make_bot(), make_bot("other")
    for each in (bot, other):
        each.the("HorizontalPodAutoscaler", "worker")
        each.wait_settled()
    bot.api.delete("GptBot", bot.namespace, "bot")
    wait_for(lambda: not bot.children(), "children are gone", 60)
    operator.looks_at(other)  # who is gone is looked at no more
    assert not bot.children(), "nobody brings them back"
    assert len(other.children()) == 9


def test_a_bot_deleted_while_the_operator_is_away(make_bot: MakeBot, stopped: OperatorProcess) -> None:
    bot = make_bot()
    bot.the("HorizontalPodAutoscaler", "worker")
    stopped.stop()
    bot.api.delete("GptBot", bot.namespace, "bot")
    wait_for(lambda: bot.api.get("GptBot", bot.namespace, "bot") is None, "the bot is gone")
    wait_for(lambda: not bot.children(), "so are its children", 60)


def test_a_restart_changes_nothing_and_catches_up(make_bot: MakeBot, stopped: OperatorProcess) -> None:
    bot = make_bot(workers={"minReplicas": 2, "maxReplicas": 2})
    bot.wait_settled()
    templates = _templates(bot)
    pepper = bot.the("Secret", "gptbot")["data"]
    stopped.stop()
    bot.api.delete("Service", bot.namespace, "bot-web")
    bot.edit(workers={"minReplicas": 3, "maxReplicas": 3})
    stopped.start()
    wait_for(lambda: bot.replicas() == 3, "the edit")
    bot.the("Service", "web")
    bot.wait_settled()
    assert _templates(bot) == templates
    assert bot.the("Secret", "gptbot")["data"] == pepper


def _templates(bot: Bot) -> list[Any]:
    return [bot.the("Deployment", suffix)["spec"]["template"] for suffix in ("gateway", "worker")]


def test_a_bot_of_the_same_name_starts_afresh(make_bot: MakeBot, operator: OperatorProcess) -> None:
    bot = make_bot()
    first = bot.the("Secret", "gptbot")
    bot.wait_settled()
    bot.api.delete("GptBot", bot.namespace, "bot")
    again = make_bot()

    def afresh() -> bool:
        uid = again.document["metadata"]["uid"]
        children = again.children().values()
        return len(children) == 9 and all(c["metadata"]["ownerReferences"][0]["uid"] == uid for c in children)

    wait_for(afresh, "children of the new bot", 90)
    assert again.the("Secret", "gptbot")["data"]["pepper"] != first["data"]["pepper"]


def test_it_serves_the_namespaces_it_is_told_with_rights_in_them_alone(
    plane: Plane, namespace: str, make_bot: MakeBot, absent: None, tmp_path: Path
) -> None:
    plane.kubectl("delete", "clusterrolebinding", "operator")
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    metadata = {"name": "operator", "namespace": namespace}
    plane.kubectl("apply", "-f", "-", document=role | {"metadata": metadata, "rules": documented_rules()})
    plane.kubectl("-n", namespace, "create", "rolebinding", "operator", "--role=operator", "--user=operator")
    elsewhere = Bot(plane.api, "default", "elsewhere")
    elsewhere.create()
    local = OperatorProcess(plane, tmp_path, GPTBOT_NAMESPACES=namespace)
    try:
        local.start()
        bot = make_bot()
        bot.the("HorizontalPodAutoscaler", "worker")
        assert "GPTBOT_STORE_URL" in bot.wait_condition("StoreReachable", "False", "NoStore")
        local.stop()
        assert not elsewhere.children()
        assert " in API group " not in local.log.read_text()
    finally:
        elsewhere.api.delete("GptBot", "default", "elsewhere")
        plane.kubectl("create", "clusterrolebinding", "operator", "--clusterrole=operator", "--user=operator")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "gptbot-operator: GPTBOT_IMAGE is not set; set it to the image of the bot"),
        (
            {"GPTBOT_IMAGE": "x", "GPTBOT_CONCURRENCY": "many"},
            "gptbot-operator: GPTBOT_CONCURRENCY must be a number, not 'many'",
        ),
    ],
    ids=["image", "number"],
)
def test_it_says_why_it_cannot_start(environment: dict[str, str], message: str) -> None:
    program = Path(sys.executable).with_name("gptbot-operator")
    ended = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.strip()) == (1, message)
