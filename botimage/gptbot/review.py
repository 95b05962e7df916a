"""What is wrong, or likely wrong, with bots as their files have them: before they run, and for `gptbot validate`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gptbot.bot import LOCAL_PLATFORMS
from gptbot.manifest import BotConfig
from gptbot.platforms.base import Checks
from gptbot.platforms.registry import UnknownPlatform, platform
from gptbot_api import Fault, InvalidManifest
from gptbot_api.doubts import OPENAI, Finding, findings, host_of
from gptbot_api.placeholders import PASSWORD, misshapen, unfilled
from gptbot_api.references import Reference, references
from gptbot_api.refs import SecretKeyRef
from gptbot_api.store_url import StoreUrl

_WHITE = "has white space or a line end around it, which is left out: take it off, for other programs do not"
_TOKEN = "tokenSecretRef"  # noqa: S105 - name of a field
_ONE_WORD = (_TOKEN, "apiKeySecretRef", "clientSecretRef")
"""Fields whose value is a token or key, of which some things are known whoever made it."""


def review(configs: Sequence[BotConfig], *, here: bool) -> list[Finding]:
    """All that the files show, each with the file's name, those that cannot be right first.

    `here`: the bots are to run in this process, so that what is not here is nowhere. Else a cluster may have it.
    """
    found = [_placed(config, finding, configs) for config in configs for finding in _of(config, here, configs)]
    found += _tokens_twice(configs)
    return sorted(set(found), key=lambda finding: (not finding.certain, finding))


def refuse(found: Iterable[Finding]) -> None:
    """Raise InvalidManifest with all that cannot be right, if there is anything."""
    if faults := [Fault(each.path, each.message) for each in found if each.certain]:
        raise InvalidManifest(faults)


def _placed(config: BotConfig, finding: Finding, configs: Sequence[BotConfig]) -> Finding:
    several = sum(other.source == config.source for other in configs) > 1
    where = ": ".join(filter(None, [config.source, config.key if several else ""]))
    return replace(finding, path=f"{where}: {finding.path}" if where else finding.path)


def _of(config: BotConfig, here: bool, configs: Sequence[BotConfig]) -> Iterator[Finding]:
    yield from findings(config.bot)
    for path in config.empty:
        yield Finding(path, "nothing stands behind it, so it counts as left out: fill it in, or take the line out")
    for reference in references(config.bot):
        yield from _reference(config, reference, here, configs)
    yield from _platforms(config, here)
    yield from _store(config)
    yield from _keys(config)


def _reference(config: BotConfig, reference: Reference, here: bool, configs: Sequence[BotConfig]) -> Iterator[Finding]:
    namespace = config.bot.metadata.namespace
    objects = config.secrets if reference.kind == "Secret" else config.config_maps
    what = f"{reference.kind} {reference.name!r} in namespace {namespace!r}"
    held = objects.get((namespace, reference.name))
    if held is not None:
        yield from _held(reference, held.get(reference.key), what, list(held))
        return
    elsewhere = sorted(space for space, name in objects if name == reference.name)
    meant = [space for space in elsewhere if not any(other.bot.metadata.namespace == space for other in configs)]
    if meant:
        text = f"{what} is not in the files, but one in namespace {meant[0]!r} is: give it and the GptBot the same"
        yield Finding(reference.path, f"{text} metadata.namespace", certain=True)
    elif here:
        yield Finding(
            reference.path, f"{what} has no key {reference.key!r}, or it is empty; add it to the manifest", True
        )
    else:
        yield Finding(
            reference.path, f"{what} is not in the files: the cluster must have it, with the key {reference.key!r}"
        )


def _held(reference: Reference, value: str | None, what: str, keys: Sequence[str]) -> Iterator[Finding]:
    """What is wrong with a value, or with its not being there."""
    if value is None:
        there = ", ".join(keys) or "none"
        text = f"{what} has no key {reference.key!r}; its keys are: {there}. Mend one of them"
        yield Finding(reference.path, text, certain=True)
        return
    where = f"{what}, key {reference.key!r}:"
    field = reference.path.rpartition(".")[2]
    if reference.kind == "ConfigMap":
        if not value.strip():
            yield Finding(reference.path, f"{where} is empty: put the text there", certain=True)
        return
    if (text := unfilled(value)) is not None:
        certain = not (value.strip() and reference.path.endswith(PASSWORD))  # whatever people like may be a password
        yield Finding(reference.path, f"{where} {text}", certain)
    elif field in _ONE_WORD and (text := misshapen(value)) is not None:
        yield Finding(reference.path, f"{where} {text}", certain=True)
    elif value != value.strip():
        yield Finding(reference.path, f"{where} {_WHITE}")


def _platforms(config: BotConfig, here: bool) -> Iterator[Finding]:
    extra = config.bot.spec.platforms.extra
    for name, settings in config.bot.spec.platforms.enabled().items():
        path = f"spec.platforms.extra.{name}" if name in extra else f"spec.platforms.{name}"
        if name in extra and name in LOCAL_PLATFORMS:
            continue  # refused by a rule
        try:
            half = platform(name)
        except UnknownPlatform as error:
            advice = (
                "install its package beside gptbot" if here else "install its package here too, and in the bot's image"
            )
            yield Finding(path, f"{error}: {advice}", certain=here)
            continue
        if isinstance(half, Checks):
            yield from half.check(config, settings)


def _store(config: BotConfig) -> Iterator[Finding]:
    store = config.bot.spec.store
    if store is None or not (value := config.peek(store.url_secret_ref)) or unfilled(value):
        return
    try:
        StoreUrl.parse(value)
    except ValueError as error:
        yield Finding("spec.store.urlSecretRef", str(error), certain=True)


def _keys(config: BotConfig) -> Iterator[Finding]:
    llm = config.bot.spec.llm
    of: list[tuple[str, str | None, SecretKeyRef | None]] = [("spec.llm", llm.base_url, llm.api_key_secret_ref)]
    of += [(f"spec.llm.fallbacks[{i}]", e.base_url, e.api_key_secret_ref) for i, e in enumerate(llm.fallbacks)]
    for path, url, reference in of:
        if host_of(url) != OPENAI:
            continue
        value = None if reference is None else config.peek(reference)
        if reference is None:
            yield Finding(f"{path}.apiKeySecretRef", f"is not there, and {OPENAI} answers nobody without a key")
        elif value and not unfilled(value) and not value.startswith("sk-"):
            text = f"the key does not begin with sk-, as all of {OPENAI} do: see that it is the right one"
            yield Finding(f"{path}.apiKeySecretRef", text)


def _server(config: BotConfig, path: str) -> str:
    """The server that a platform's settings name: the same token means another bot at another one."""
    settings = config.bot.spec.platforms.enabled().get(path.rpartition(".")[2])
    return str(getattr(settings, "api_base_url", ""))


def _tokens_twice(configs: Sequence[BotConfig]) -> Iterator[Finding]:
    """Bots that share a token: a platform gives each message to one of them only."""
    of: dict[tuple[str, bytes], list[tuple[BotConfig, str]]] = {}
    for config in configs:
        if config.bot.spec.suspend:
            continue
        for reference in references(config.bot):
            platform_path, _, field = reference.path.rpartition(".")
            value = config.peek(SecretKeyRef(name=reference.name, key=reference.key)) if field == _TOKEN else None
            if value and not unfilled(value):
                digest = hashlib.sha256(f"{_server(config, platform_path)}\n{value}".encode()).digest()
                of.setdefault((platform_path, digest), []).append((config, reference.path))
    for sharing in of.values():
        if len(sharing) > 1:
            names = ", ".join(config.key for config, _ in sharing)
            config, path = sharing[0]
            text = f"{names} have the same token, so each would take the others' messages: give each a bot of its own"
            yield Finding(": ".join(filter(None, [config.source, path])), text, certain=True)
