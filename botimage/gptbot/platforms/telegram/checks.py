"""What can be wrong with Telegram's settings and Secrets before anybody is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from gptbot.manifest import BotConfig
from gptbot.platforms.telegram.limits import SECRET_TOKEN
from gptbot_api.doubts import Finding
from gptbot_api.placeholders import misshapen, unfilled
from gptbot_api.platforms import Telegram

_PATH: Final = "spec.platforms.telegram"
_TOKEN: Final = re.compile(r"[0-9]{1,20}:\S{1,256}")
"""What aiogram takes (`aiogram.utils.token.validate_token`)."""
_USUAL: Final = re.compile(r"[0-9]{8,12}:[A-Za-z0-9_-]{35}")
"""As all tokens of api.telegram.org have been; the form is documented nowhere (Bot API, "Authorizing your bot")."""
_PORTS: Final = frozenset({None, 443, 80, 88, 8443})
"""Bot API, `setWebhook`, notes."""


def check(bot: BotConfig, settings: Telegram) -> Iterator[Finding]:
    """See `platforms.base.Checks`."""
    public = urlsplit(settings.api_base_url).hostname == "api.telegram.org"
    token = bot.peek(settings.token_secret_ref)
    if token and unfilled(token) is None and misshapen(token) is None:
        if not _TOKEN.fullmatch(token):
            text = "the value is no token of a bot, which reads NUMBER:LETTERS: copy it anew from @BotFather"
            yield Finding(f"{_PATH}.tokenSecretRef", text, certain=True)
        elif public and not _USUAL.fullmatch(token):
            text = "the token is longer or shorter than those of @BotFather: see that all of it was copied"
            yield Finding(f"{_PATH}.tokenSecretRef", text)
    if settings.mode == "webhook" and settings.webhook is not None:
        secret = bot.peek(settings.webhook.secret_ref)
        if secret and unfilled(secret) is None and not re.fullmatch(SECRET_TOKEN, secret):
            text = (
                "the value is no secret token for a webhook: it must be 1 to 256 characters of A-Z, a-z, 0-9, _ and -"
            )
            yield Finding(f"{_PATH}.webhook.secretRef", text, certain=True)
        if public:
            yield from _address(settings.webhook.url)


def _address(url: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        yield Finding(f"{_PATH}.webhook.url", "is no address: host or port cannot be read", certain=True)
        return
    if parts.scheme != "https":
        yield Finding(f"{_PATH}.webhook.url", "must begin with https://: Telegram posts to no other", certain=True)
    if port not in _PORTS:
        yield Finding(
            f"{_PATH}.webhook.url", "must have port 443, 80, 88 or 8443: Telegram posts to no other", certain=True
        )
