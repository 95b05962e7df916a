"""What the operator hands to pods is what the bot reads there, for every field that refers to a Secret or ConfigMap."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from gptbot.manifest import BotConfig, load
from gptbot.mounted import wait_for_files
from gptbot.running import store_of
from gptbot_api import GptBot, parse
from gptbot_api.defaults import parse_defaults
from gptbot_api.mounted import DIGEST_VARIABLE
from gptbot_api.references import Reference, references
from gptbot_api.refs import ConfigMapKeyRef, SecretKeyRef
from gptbot_api.spec import GptBotSpec
from gptbot_operator.desired.children import children
from gptbot_operator.desired.context import Context
from gptbot_operator.installation import copied, effective
from gptbot_operator.settings import Settings
from tests.process import kubelet
from tests.process.kubelet import Objects
from tests.process.program import PEPPER

SHARED = "redis://gptbot%3Ashop%2Fbot:word@valkey:6379/0"


def secret(key: str) -> dict[str, str]:
    return {"name": f"secret-{key}", "key": key}


LLM = {"baseUrl": "https://api.example/v1", "model": "m", "apiKeySecretRef": secret("model")}
WEB: dict[str, Any] = {"platforms": {"web": {}}, "llm": LLM}
TOKEN = {"issuer": "shop", "audience": "bot"}


def page(access: dict[str, Any]) -> dict[str, Any]:
    return WEB | {"platforms": {"web": {"access": access}}}


BOTS: dict[str, dict[str, Any]] = {
    "platforms": {
        "platforms": {
            "telegram": {
                "tokenSecretRef": secret("telegram"),
                "webhook": {"url": "https://bot.example.com", "secretRef": secret("hook")},
            },
            "discord": {"tokenSecretRef": secret("discord")},
            "extra": {"irc": {"server": "irc.example", "passwordSecretRef": secret("irc")}},
        },
        "llm": LLM,
    },
    "models": WEB | {
        "llm": LLM | {
            "fallbacks": [{"baseUrl": "https://other.example/v1", "model": "m", "apiKeySecretRef": secret("fallback")}],
            "transcription": {
                "baseUrl": "https://voice.example/v1", "model": "m", "apiKeySecretRef": secret("voice"),
            },
        },
        "safety": {"moderation": {"baseUrl": "https://mod.example/v1", "apiKeySecretRef": secret("moderation")}},
        "personas": [
            {"name": "translator", "promptFrom": {"configMapKeyRef": {"name": "prompts", "key": "translator"}}}
        ],
    },
    "store": WEB | {"store": {"urlSecretRef": secret("url")}},
    "password": page({"mode": "password", "passwordSecretRef": secret("password")}),
    "oidc": page({
        "mode": "oidc",
        "oidc": {"issuer": "https://id.example.com", "clientId": "c", "clientSecretRef": secret("client")},
    }),
    "token-key": page({"mode": "token", "token": TOKEN | {"publicKeySecretRef": secret("public")}}),
    "token-secret": page({"mode": "token", "token": TOKEN | {"secretRef": secret("shared")}}),
    "default-model": {"platforms": {"web": {}}},
}  # fmt: skip
"""Bots that together set every field that refers to something."""
ADDRESS = "rediss+sentinel://:word@sentinel:26379/bots/0?ssl_ca_data=PEM"


def fields(model: type[BaseModel], path: str = "spec") -> Iterator[str]:
    """Every field of the API that refers to a Secret or ConfigMap: its path, without places in lists."""
    for name, info in model.model_fields.items():
        for kind in _models(info.annotation):
            at = f"{path}.{info.alias or name}"
            if issubclass(kind, SecretKeyRef | ConfigMapKeyRef):
                yield at
            else:
                yield from fields(kind, at)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def referred(value: Any, path: str = "spec") -> Iterator[tuple[str, SecretKeyRef | ConfigMapKeyRef]]:
    """What a spec refers to, and the field."""
    if isinstance(value, SecretKeyRef | ConfigMapKeyRef):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from referred(getattr(value, name), f"{path}.{info.alias or name}")
    elif isinstance(value, list):
        for each in value:
            yield from referred(each, path)


def made(name: str, tmp_path: Path) -> tuple[GptBot, Context, Objects]:
    """A bot of the table as the operator sees it, and the Secrets and ConfigMaps of its namespace."""
    (tmp_path / "defaults" / "openai").mkdir(parents=True)
    (tmp_path / "defaults" / "openai" / "key").write_text("the default's key")
    defaults = parse_defaults(
        {"llm": {"baseUrl": "https://d.example/v1", "model": "m", "apiKeySecretRef": {"name": "openai", "key": "key"}}}
    )
    settings = Settings(image="i", store_url=SHARED, defaults=defaults, default_keys=tmp_path / "defaults")
    document = {
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot",
        "metadata": {"name": "bot", "namespace": "shop", "uid": "1"}, "spec": BOTS[name],
    }  # fmt: skip
    bot = effective(parse(document), settings)
    wanted = references(bot)
    copies = copied(bot, wanted, settings)
    values = {each: copies.get(each) or value_of(each) for each in wanted}
    context = Context(
        settings=settings, pepper=PEPPER, store_url=None if bot.spec.store else SHARED, references=tuple(wanted),
        digests={each: hashlib.sha256(value.encode()).hexdigest() for each, value in values.items()},
        copied=copies, own_store_url=ADDRESS if bot.spec.store else None,
    )  # fmt: skip
    there = dict(kubelet.objects(children(bot, context)))
    for each in set(wanted) - copies.keys():
        there[each.kind, each.name] = {**there.get((each.kind, each.name), {}), each.key: values[each]}
    return bot, context, there


def value_of(reference: Reference) -> str:
    return ADDRESS if reference.path.startswith("spec.store.") else f"value of {reference.name}/{reference.key}"


def read(name: str, component: str, directory: Path) -> tuple[dict[str, str], BotConfig]:
    """Start a pod of a bot: its environment, and the bot as it reads itself there."""
    bot, context, there = made(name, directory)
    [deployment] = [
        each for each in children(bot, context) if each["metadata"]["name"] == f"bot-{component}"
        and each["kind"] == "Deployment"
    ]  # fmt: skip
    environment = kubelet.start(deployment["spec"]["template"], there, directory / "pod")
    manifest, refs = Path(environment["GPTBOT_MANIFEST"]), Path(environment["GPTBOT_REFS"])
    fits = wait_for_files(manifest, refs, environment["GPTBOT_PEPPER"], environment[DIGEST_VARIABLE], patience=0)
    assert fits, "a pod would wait for other files"
    [config] = load([manifest], refs)
    return environment, config


def test_every_field_that_refers_to_something_is_in_the_table() -> None:
    used = {path for spec in BOTS.values() for path, _ in referred(parse(_document(spec)).spec)}
    assert used == set(fields(GptBotSpec)), "a new field: give it to a bot of BOTS"


def _document(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": "bot", "namespace": "shop"},
        "spec": spec,
    }  # fmt: skip


@pytest.mark.parametrize("component", ["gateway", "worker"])
@pytest.mark.parametrize("name", BOTS)
def test_a_pod_finds_all_that_its_bot_refers_to(
    name: str, component: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, config = read(name, component, tmp_path)
    for path, reference in referred(config.bot.spec):
        if isinstance(reference, SecretKeyRef):
            wanted = "the default's key" if reference.name == "bot-gptbot" else f"value of secret-{reference.key}/"
            assert config.secret(reference, path).startswith((wanted, ADDRESS)), path
    prompts = [config.prompt(persona) for persona in config.bot.spec.personas if persona.prompt_from]
    assert prompts == ["value of prompts/translator"] * len(prompts)
    for each in references(config.bot):
        if each.path.startswith("spec.platforms.extra."):
            assert config.secret(SecretKeyRef(name=each.name, key=each.key)) == "value of secret-irc/irc"

    monkeypatch.delenv("GPTBOT_STORE_URL", raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert store_of(tmp_path / "none", config) == (ADDRESS if config.bot.spec.store else SHARED)
    assert ("GPTBOT_STORE_URL" in environment) == (config.bot.spec.store is None), "one place for one thing"
    known = (Path(__file__).parents[2] / "botimage" / "gptbot" / "cli.py").read_text()
    assert all(f'"{variable}"' in known for variable in environment.keys() - {DIGEST_VARIABLE}), environment.keys()


def test_a_bot_whose_store_is_not_there_starts_and_says_so(tmp_path: Path) -> None:
    bot, context, there = made("store", tmp_path)
    without = {key: data for key, data in there.items() if key != ("Secret", "secret-url")}
    [gateway] = [each for each in children(bot, context) if each["metadata"]["name"] == "bot-gateway"]
    environment = kubelet.start(gateway["spec"]["template"], without, tmp_path / "pod")
    [config] = load([Path(environment["GPTBOT_MANIFEST"])], Path(environment["GPTBOT_REFS"]))
    with pytest.raises(ValueError, match=r"spec\.store\.urlSecretRef: Secret 'secret-url' .* has no key 'url'"):
        store_of(tmp_path / "none", config)
