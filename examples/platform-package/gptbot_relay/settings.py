"""What stands under `spec.platforms.extra.relay`: a model of our own, read with the words of the GptBot API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gptbot.manifest import BotConfig
from gptbot.platforms.settings import settings_of
from gptbot_api import InvalidManifest
from gptbot_api.base import ApiModel
from gptbot_api.doubts import Finding
from gptbot_api.refs import HttpUrl, SecretKeyRef

NAME = "relay"
PATH = f"spec.platforms.extra.{NAME}"
_SHORTEST = 16


class Relay(ApiModel):
    """Settings of the platform. Unknown fields are refused, as everywhere in a GptBot."""

    token_secret_ref: SecretKeyRef
    """The secret that both sides send as `Authorization: Bearer …`. A field that ends in `SecretRef` is all it takes:
    the operator mounts the key into the pods and rolls them when it changes."""
    reply_url: HttpUrl
    """Where answers are posted to."""


def read(settings: ApiModel | Mapping[str, Any]) -> Relay:
    """The settings. Raises InvalidManifest, which names each field that is wrong."""
    return settings_of(Relay, NAME, settings)


def token(bot: BotConfig, settings: Relay) -> str:
    """The secret. Raises InvalidManifest when it is not there."""
    return bot.secret(settings.token_secret_ref, f"{PATH}.tokenSecretRef")


def check(bot: BotConfig, settings: ApiModel | Mapping[str, Any]) -> Iterator[Finding]:
    """See `gptbot.platforms.base.Checks`. A Secret that is not there, or not filled in, gptbot itself tells of."""
    try:
        found = read(settings)
    except InvalidManifest as error:
        yield from map(Finding.of, error.faults)
        return
    value = bot.peek(found.token_secret_ref)
    if value and len(value) < _SHORTEST:
        text = (
            f"the token has fewer than {_SHORTEST} characters, and may be guessed: make one with `openssl rand -hex 32`"
        )
        yield Finding(f"{PATH}.tokenSecretRef", text)
