"""What is wrong, or likely wrong, with a GptBot that its schema takes: said by `gptbot validate` and in the status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from gptbot_api.base import seconds
from gptbot_api.spec import GptBot, strangers
from gptbot_api.validate import Fault, broken_rules

_VERSIONED = re.compile(r"/v[0-9]{1,3}(?:[a-z]{1,8}[0-9]{0,3})?(?:/|\Z)")
_WITHOUT_VERSION = frozenset({"api.deepseek.com", "api.perplexity.ai", "models.github.ai"})
"""Hosts whose API has no version in its address (https://api-docs.deepseek.com, https://docs.perplexity.ai,
https://docs.github.com/rest/models)."""
_METHOD = re.compile(r"/(?:chat|completion|generate|messages?|responses?|embed)/*\Z")
"""What servers are asked, or a part of it: none of it belongs to the base of OpenAI's API."""
_OURS = frozenset({"model", "messages", "stream", "stream_options"})
"""Fields of a request that gptbot sets itself."""
_DEFAULT_ONLY = re.compile(r"(?:gpt-5|o[134])(?![.0-9])(?!.{0,64}chat)")
_SAMPLING = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "logit_bias"})
OPENAI = "api.openai.com"
"""Host of OpenAI's API."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that a person should look at."""

    path: str
    message: str
    """What is wrong and what to do. It holds no value of a Secret."""
    certain: bool = False
    """Whether it cannot be right; else it is likely wrong."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"

    @classmethod
    def of(cls, fault: Fault) -> Finding:
        """A fault, which is certain."""
        return cls(fault.path, fault.message, certain=True)


def findings(bot: GptBot) -> list[Finding]:
    """All that the bot's own words show: broken rules that an object of before is spared, and doubts."""
    return [*map(Finding.of, sorted(broken_rules(bot))), *sorted(_doubts(bot))]


def _doubts(bot: GptBot) -> Iterator[Finding]:
    yield from _model(bot)
    yield from _addresses(bot)
    yield from _people(bot)
    yield from _behaviour(bot)


def _model(bot: GptBot) -> Iterator[Finding]:
    llm, path = bot.spec.llm, "spec.llm.parameters"
    names = set(llm.parameters.model_dump(by_alias=True, exclude_none=True))
    for name in sorted(names & _OURS):
        yield Finding(f"{path}.{name}", "has no effect: gptbot sets it itself; take it out")
    named = [("spec.llm", llm.base_url, llm.model)]
    named += [(f"spec.llm.fallbacks[{i}]", each.base_url, each.model) for i, each in enumerate(llm.fallbacks)]
    for where, url, model in named:
        if host_of(url) == OPENAI and model is not None and takes_defaults_only(model):
            for name in sorted(names & _SAMPLING):
                yield Finding(
                    f"{path}.{name}", f"is refused by {model} ({where}.model), so it is left out: take it out"
                )
            if "max_tokens" in names:
                yield Finding(f"{path}.max_tokens", f"goes by the name of max_completion_tokens at {model}: rename it")


def takes_defaults_only(model: str) -> bool:
    """Whether a model of OpenAI thinks, so that it refuses what steers the choice of words, and `max_tokens`
    (https://platform.openai.com/docs/guides/latest-model, "GPT-5 parameter compatibility").
    """
    return _DEFAULT_ONLY.match(model) is not None


def _addresses(bot: GptBot) -> Iterator[Finding]:
    llm, safety = bot.spec.llm, bot.spec.safety
    urls = {"spec.llm.baseUrl": llm.base_url}
    urls |= {f"spec.llm.fallbacks[{i}].baseUrl": each.base_url for i, each in enumerate(llm.fallbacks)}
    urls["spec.llm.transcription.baseUrl"] = llm.transcription and llm.transcription.base_url
    urls["spec.safety.moderation.baseUrl"] = safety.moderation and safety.moderation.base_url
    for path, url in urls.items():
        if not url:
            continue
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            yield Finding(path, "is no address: host or port cannot be read", certain=True)
            continue
        if (method := _METHOD.search(parts.path)) is not None:
            yield Finding(
                path, f"ends in {method[0]!r}: gptbot puts the path of what it asks behind the address, so leave it out"
            )
        elif not _VERSIONED.search(parts.path) and parts.hostname not in _WITHOUT_VERSION:
            yield Finding(
                path, f"names no version of the API: most servers want {_with_version(parts.path)} at its end"
            )
        if parts.hostname == OPENAI and parts.scheme == "http":
            yield Finding(path, "sends key and texts in the clear: write https://")
        if parts.scheme == "https" and port == 80:
            yield Finding(path, "asks for TLS at port 80: take the port out, or write http://")


def _with_version(path: str) -> str:
    return f"{path.rstrip('/')}/v1"


def host_of(url: str | None) -> str | None:
    """The host in an address; None where there is none."""
    try:
        return urlsplit(url or "").hostname
    except ValueError:
        return None


def _people(bot: GptBot) -> Iterator[Finding]:
    access, on = bot.spec.access, {*bot.spec.platforms.enabled(), "terminal"}
    for name in ("allow", "deny", "administrators"):
        entries: list[str] = getattr(access, name)
        refused = strangers(bot.spec, name)
        for index, entry in enumerate(entries):
            platform = entry.split(":")[0]
            if platform not in on and entry not in refused:
                text = f"is of {platform}, which the bot is not on: spec.platforms.{platform} is not switched on"
                yield Finding(f"spec.access.{name}[{index}]", text)
    denied = set(access.deny)
    for index, entry in enumerate(access.allow):
        if entry in denied:
            yield Finding(f"spec.access.allow[{index}]", "is in deny too, which wins: take it out of one of them")
    if access.allow:
        for platform in sorted(on - {"terminal"} - {entry.split(":")[0] for entry in access.allow}):
            text = f"lets in nobody of {platform}, which is switched on: add an entry of it, or switch it off"
            yield Finding("spec.access.allow", text)


def _behaviour(bot: GptBot) -> Iterator[Finding]:
    spec = bot.spec
    discord, telegram = spec.platforms.discord, spec.platforms.telegram
    if discord is not None and spec.answer_in.groups == "always" and not discord.message_content_intent:
        text = (
            "is always, but Discord shows a bot without the message-content intent only what mentions it: switch it on"
        )
        yield Finding("spec.answerIn.groups", f"{text} in the Developer Portal and set messageContentIntent: true")
    if telegram is not None and telegram.webhook is not None and telegram.mode == "polling":
        yield Finding("spec.platforms.telegram.webhook", "has no effect with mode polling: set mode: webhook")
    if seconds(spec.context.ttl) > seconds(spec.privacy.retention):
        text = (
            f"is longer than privacy.retention ({spec.privacy.retention}), which wins: lengthen that, or shorten this"
        )
        yield Finding("spec.context.ttl", text)
    if seconds(spec.limits.mute.first) > seconds(spec.limits.mute.longest):
        yield Finding("spec.limits.mute.first", "is longer than longest, which wins: lengthen that, or shorten this")
    if spec.limits.per_user.messages > spec.limits.per_chat.messages and _same_window(bot):
        yield Finding(
            "spec.limits.perUser", "is wider than perChat, which people reach first: raise that, or lower this"
        )


def _same_window(bot: GptBot) -> bool:
    return seconds(bot.spec.limits.per_user.per) == seconds(bot.spec.limits.per_chat.per)
