"""Defaults of the installation on a real API server: filled in, copied, changed, missing."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

KEY = {"name": "openai", "key": "key"}
LLM = {"baseUrl": "http://default/v1", "model": "first", "apiKeySecretRef": KEY}


class Installation:
    """An operator with defaults, in place of the one that all tests share."""

    def __init__(self, plane: Plane, directory: Path, namespace: str) -> None:
        self._file = directory / "defaults.yaml"
        self._keys = directory / "keys"
        self.operator = OperatorProcess(
            plane,
            directory,
            GPTBOT_NAMESPACES=namespace,
            GPTBOT_DEFAULTS=str(self._file),
            GPTBOT_DEFAULT_KEYS=str(self._keys),
        )

    def start(self, **defaults: Any) -> None:
        """Start the operator with defaults; once more with others, as its Deployment would."""
        self.operator.stop()
        self._file.write_text(yaml.safe_dump(defaults))
        self.operator.start()

    def key(self, value: str) -> None:
        """Put the default Secret's key where the kubelet would."""
        (self._keys / KEY["name"]).mkdir(parents=True, exist_ok=True)
        (self._keys / KEY["name"] / KEY["key"]).write_text(value)


@pytest.fixture
def installation(plane: Plane, namespace: str, absent: None, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(plane, tmp_path, namespace)
    yield made
    made.operator.stop()
    log = made.operator.log.read_text()
    assert "hunter2" not in log
    assert "cannot " not in log


def _spec(bot: Bot) -> dict[str, Any]:
    return yaml.safe_load(bot.the("ConfigMap", "gptbot")["data"]["bot.yaml"])["spec"]


def test_platform_and_persona_are_enough(make_bot: Callable[..., Bot], installation: Installation) -> None:
    installation.start(llm=LLM, limits={"tokensPerDay": 7, "perChat": {"messages": 9}}, privacy={"retention": "1h"})
    bot = make_bot(llm=None, personas=[{"name": "poet", "prompt": "You speak in verse."}], limits={"tokensPerDay": 8})
    message = bot.wait_condition("SecretsResolved", "False", "Missing")
    assert message == (
        "spec.llm.apiKeySecretRef: the default of this installation: Secret 'openai' in the operator's namespace has "
        "no key 'key', or it is empty"
    )
    spec = _spec(bot)
    assert (spec["llm"]["baseUrl"], spec["llm"]["model"]) == ("http://default/v1", "first")
    assert (spec["limits"]["tokensPerDay"], spec["limits"]["perChat"]["messages"]) == (8, 9)
    assert spec["privacy"]["retention"] == "1h"
    assert "llm" not in bot.document["spec"], "nobody writes into the GptBot itself"
    assert bot.document["spec"]["limits"] == {"tokensPerDay": 8}

    before = bot.hashes()
    installation.key("hunter2")
    bot.wait_condition("SecretsResolved", "True")
    own = spec["llm"]["apiKeySecretRef"]
    assert own["name"] == "bot-gptbot"
    assert base64.b64decode(bot.the("Secret", "gptbot")["data"][own["key"]]).decode() == "hunter2"
    wait_for(lambda: all(a != b for a, b in zip(before, bot.hashes(), strict=True)), "the key rolls the pods")

    before = bot.hashes()
    installation.key("hunter2-new")
    wait_for(lambda: all(a != b for a, b in zip(before, bot.hashes(), strict=True)), "another key rolls them too")


def test_other_defaults_change_the_bots_that_use_them(make_bot: Callable[..., Bot], installation: Installation) -> None:
    installation.start(llm={"baseUrl": "http://default/v1", "model": "first"}, limits={"tokensPerDay": 7})
    bot, own = make_bot(llm=None), make_bot("own")
    for each in (bot, own):
        each.the("HorizontalPodAutoscaler", "worker")
        each.wait_settled()
    before = {each.name: each.hashes() for each in (bot, own)}

    template = {"spec": {"priorityClassName": "bots"}}
    installation.start(llm={"baseUrl": "http://default/v1", "model": "second"}, podTemplate=template)
    wait_for(lambda: _spec(bot)["llm"]["model"] == "second", "the other model")
    wait_for(lambda: before["bot"] != bot.hashes(), "the pods roll")
    wait_for(lambda: _spec(own)["limits"]["tokensPerDay"] == 2_000_000, "no default limit any more")
    wait_for(
        lambda: own.the("Deployment", "gateway")["spec"]["template"]["spec"].get("priorityClassName") == "bots",
        "the pod template of all",
    )
    assert own.hashes() == before["own"], "another's model is nothing to it"


def test_without_any_model_it_is_said_what_to_do(make_bot: Callable[..., Bot], installation: Installation) -> None:
    installation.start()
    bot = make_bot(llm=None)
    message = bot.wait_condition("Ready", "False", "InvalidSpec")
    assert message == (
        "spec.llm: names no model: set baseUrl and model there, or embedded; or give all GptBots a default "
        "(defaults.llm of the chart)"
    )
    installation.start(llm=LLM)
    bot.the("Deployment", "gateway")
