"""The defaults of an installation: what a bot gets of them, what it does not, and what is said when they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gptbot_api import InvalidManifest, parse
from gptbot_api.defaults import parse_defaults
from gptbot_api.references import references
from gptbot_operator.installation import copied, effective
from gptbot_operator.settings import InvalidSettings, Settings

OWN = {"baseUrl": "http://mine/v1", "model": "mine"}
DEFAULT = {"baseUrl": "http://default/v1", "model": "default", "apiKeySecretRef": {"name": "openai", "key": "the.key"}}


def _effective(defaults: dict[str, Any], **spec: Any) -> Any:
    metadata = {"name": "bot", "namespace": "shop"}
    document = {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata}
    bot = parse(document | {"spec": {"platforms": {"web": {}}} | spec})
    return effective(bot, Settings(image="gptbot:1", defaults=parse_defaults(defaults)))


def test_a_bot_without_a_model_gets_the_default_one_with_a_key_beside_itself(tmp_path: Path) -> None:
    bot = _effective({"llm": DEFAULT})
    assert (bot.spec.llm.base_url, bot.spec.llm.model) == ("http://default/v1", "default")
    [reference] = references(bot)
    assert (reference.name, reference.key) == ("bot-gptbot", "default_openai_the.key")

    (tmp_path / "openai").mkdir()
    settings = Settings(image="gptbot:1", default_keys=tmp_path)
    assert copied(bot, [reference], settings) == {}
    (tmp_path / "openai" / "the.key").write_text("sk-1\n")
    assert copied(bot, [reference], settings) == {reference: "sk-1"}


def test_a_bot_with_a_model_of_its_own_gets_nothing_of_the_default_one() -> None:
    default = DEFAULT | {"parameters": {"temperature": 1}, "contextWindow": 1000, "vision": True}
    bot = _effective({"llm": default}, llm=OWN)
    assert bot.spec.llm.model_dump(by_alias=True, exclude_unset=True) == OWN
    assert not references(bot)
    assert not _effective({"llm": default}, llm={"embedded": {}}).spec.llm.vision


def test_a_bot_may_change_the_default_model_and_use_a_key_of_its_own() -> None:
    bot = _effective({"llm": DEFAULT}, llm={"model": "other", "apiKeySecretRef": {"name": "mine", "key": "k"}})
    assert (bot.spec.llm.base_url, bot.spec.llm.model) == ("http://default/v1", "other")
    assert [reference.name for reference in references(bot)] == ["mine"]


def test_limits_and_privacy_are_filled_field_by_field() -> None:
    defaults = {
        "limits": {"perUser": {"messages": 3, "per": "1h"}, "tokensPerDay": 7, "mute": {"after": 9}},
        "privacy": {"redact": [], "retention": "2h"},
    }
    spec = _effective(defaults, llm=OWN, limits={"perUser": {"messages": 4}}, privacy={"redact": ["email"]}).spec
    assert (spec.limits.per_user.messages, spec.limits.per_user.per) == (4, "1m")
    assert (spec.limits.tokens_per_day, spec.limits.mute.after, spec.limits.per_chat.messages) == (7, 9, 60)
    assert (spec.privacy.redact, spec.privacy.retention) == (["email"], "2h")


def test_resources_are_filled_resource_by_resource() -> None:
    resources = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
    spec = _effective({"gateway": {"resources": resources}}, llm=OWN).spec
    assert spec.gateway.resources.model_dump() == resources
    own = {"resources": {"requests": {"memory": "4Gi"}}}
    spec = _effective({"gateway": {"resources": resources}}, llm=OWN, gateway=own).spec
    assert spec.gateway.resources.model_dump() == {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {}}


def test_a_pod_template_lies_over_the_default_one_and_may_take_away() -> None:
    default = {"spec": {"imagePullSecrets": [{"name": "a"}], "priorityClassName": "high", "nodeSelector": {"x": "y"}}}
    own = {"spec": {"imagePullSecrets": [{"name": "b"}], "priorityClassName": None, "securityContext": None}}
    template = _effective({"podTemplate": default}, llm=OWN, podTemplate=own).spec.pod_template
    assert template.spec.model_dump() == {
        "imagePullSecrets": [{"name": "a"}, {"name": "b"}], "priorityClassName": None, "nodeSelector": {"x": "y"},
        "securityContext": None,
    }  # fmt: skip


def test_it_is_said_what_is_missing_or_does_not_fit() -> None:
    with pytest.raises(InvalidManifest, match=r"spec\.llm: names no model: set baseUrl .*defaults\.llm of the chart"):
        _effective({})
    with pytest.raises(InvalidManifest, match=r"the embedded model sees no images.*with the defaults of the install"):
        _effective({"llm": {"embedded": {}}}, llm={"vision": True})


def test_a_key_that_somebody_made_up_reads_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "other").write_text("x")
    reference = {"name": "bot-gptbot", "key": "default_.._other"}
    bot = _effective({}, llm=OWN | {"apiKeySecretRef": reference})
    settings = Settings(image="gptbot:1", default_keys=tmp_path / "secrets")
    assert not copied(bot, references(bot), settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        ("llm: [", "is not valid YAML"),
        ("llm: {baseUrl: ftp://x}", "llm.baseUrl: Invalid value"),
        ("limits: {perUser: 3}", "limits.perUser: Invalid value"),
        ("personas: []", 'personas: unknown field "personas"'),
        (
            f"llm: {{baseUrl: 'http://x', model: m, fallbacks: [{{baseUrl: 'http://y', model: m, "
            f"apiKeySecretRef: {{name: {'n' * 200}, key: {'k' * 60}}}}}]}}",
            "and its key are too long",
        ),
    ],
    ids=["missing", "yaml", "pattern", "type", "unknown", "long"],
)
def test_wrong_defaults_keep_the_operator_from_starting(text: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "defaults.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InvalidSettings) as error:
        Settings.from_environment({"GPTBOT_IMAGE": "gptbot:1", "GPTBOT_DEFAULTS": str(file)})
    assert said in str(error.value)
    assert str(file) in str(error.value) or "too long" in said


def test_a_public_address_brings_its_host_a_proxy_and_a_limit_of_the_bot() -> None:
    expose = {"host": "bot.example.com", "ingress": {}}
    spec = _effective({}, llm=OWN, expose=expose).spec
    assert (spec.platforms.web.hosts, spec.platforms.web.trusted_proxies) == (["bot.example.com"], 1)
    assert (spec.limits.per_bot.messages, spec.limits.per_bot.per) == (600, "1m")
    hidden = _effective({}, llm=OWN).spec
    assert (hidden.platforms.web.hosts, hidden.platforms.web.trusted_proxies, hidden.limits.per_bot) == ([], None, None)


def test_a_bot_knows_the_names_that_requests_come_by() -> None:
    webhook = {"url": "https://hook.example.com/t", "secretRef": {"name": "a", "key": "b"}}
    telegram = {"tokenSecretRef": {"name": "a", "key": "c"}, "mode": "webhook", "webhook": webhook}
    platforms = {"web": {"hosts": ["chat.example.com"]}, "telegram": telegram}
    spec = _effective({}, llm=OWN, platforms=platforms, expose={"host": "bot.example.com", "ingress": {}}).spec
    assert set(spec.hosts()) == {"chat.example.com", "bot.example.com", "hook.example.com"}


def test_what_a_bot_or_its_installation_says_wins_over_what_a_public_address_brings() -> None:
    expose = {"host": "bot.example.com", "ingress": {}}
    web = {"hosts": ["chat.example.com"], "trustedProxies": 2}
    default = {"limits": {"perBot": {"messages": 7}}}
    spec = _effective(default, llm=OWN, expose=expose, platforms={"web": web}).spec
    assert spec.platforms.web.hosts == ["bot.example.com", "chat.example.com"]
    assert (spec.platforms.web.trusted_proxies, spec.limits.per_bot.messages) == (2, 7)
