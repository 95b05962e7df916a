"""What can be wrong with Discord's settings and Secrets before anybody is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from gptbot.manifest import BotConfig
from gptbot_api.doubts import Finding
from gptbot_api.placeholders import misshapen, unfilled
from gptbot_api.platforms import Discord

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{18,40}\.[A-Za-z0-9_-]{4,10}\.[A-Za-z0-9_-]{25,60}")
"""As all tokens have been: the bot's id, a time, a signature (docs/reference, "Authentication", shows one)."""
_CLIENT_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32}|[0-9]{15,20}|[0-9a-f]{64}")
"""What stands beside it in the Developer Portal: client secret, application id, public key."""


def check(bot: BotConfig, settings: Discord) -> Iterator[Finding]:
    """See `platforms.base.Checks`."""
    path = "spec.platforms.discord.tokenSecretRef"
    token = bot.peek(settings.token_secret_ref)
    if not token or unfilled(token) is not None or misshapen(token) is not None:
        return
    if urlsplit(settings.api_base_url).hostname != "discord.com" or _TOKEN.fullmatch(token):
        return
    if _CLIENT_SECRET.fullmatch(token):
        text = "the value looks like the application's id, public key or client secret, which is no token"
    else:
        text = "the value does not look like a token of a bot, which has three parts with dots between them"
    yield Finding(path, f"{text}: in the Developer Portal, under Bot, press Reset Token and copy it whole")
