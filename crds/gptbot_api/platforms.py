"""Where a bot lives: one model a platform."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from gptbot_api.base import ApiModel, Rule
from gptbot_api.refs import HttpUrl, SecretKeyRef
from gptbot_api.web import Web

__all__ = ["Discord", "HttpUrl", "Platforms", "Telegram", "TelegramWebhook", "Web"]


class TelegramWebhook(ApiModel):
    """Where Telegram posts updates to (Bot API method setWebhook)."""

    url: HttpUrl
    """Public address of the gateway. Telegram's own servers demand HTTPS; a self-hosted one may not."""
    secret_ref: SecretKeyRef
    """Secret token that every update must carry: 1 to 256 characters of A-Z, a-z, 0-9, _ and -."""


class Telegram(ApiModel):
    """A bot on Telegram. Make one with @BotFather."""

    token_secret_ref: SecretKeyRef
    """The bot's token."""
    mode: Literal["polling", "webhook"] = "polling"
    """`polling`: the gateway fetches updates, nothing has to reach it. `webhook`: they are posted to `webhook.url`."""
    webhook: TelegramWebhook | None = None
    """Needed with `mode: webhook`."""
    api_base_url: HttpUrl = "https://api.telegram.org"
    """Bot API server: Telegram's own, or a self-hosted one. Methods and files go nowhere else."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.mode != 'webhook' || has(self.webhook)",
            "mode webhook needs webhook.url and webhook.secretRef",
            lambda t: t.mode != "webhook" or t.webhook is not None,
        ),
    )


class Discord(ApiModel):
    """A bot on Discord. Make one in the Developer Portal."""

    token_secret_ref: SecretKeyRef
    """The bot's token."""
    api_base_url: HttpUrl = "https://discord.com/api/v10"
    """REST API, or an HTTP proxy in front of it. The gateway's address is what its `/gateway/bot` says."""
    message_content_intent: bool = False
    """Ask for the privileged message-content intent. Without it a bot still reads mentions and direct messages."""


BUILT_IN = ("telegram", "discord", "web", "terminal")
"""Platforms that come with gptbot; `terminal` is that of `gptbot chat`, which every bot has."""


class Platforms(ApiModel):
    """The platforms the bot answers on: at least one."""

    telegram: Telegram | None = None
    """Telegram, if wanted."""
    discord: Discord | None = None
    """Discord, if wanted."""
    web: Web | None = None
    """The web page, if wanted."""
    extra: Annotated[dict[str, dict[str, Any]], Field(max_length=16)] = Field(default_factory=dict)
    """Platforms of installed packages (entry-point group `gptbot.platforms`): name to settings."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.telegram) || has(self.discord) || (has(self.web) && self.web.enabled)"
            " || (has(self.extra) && size(self.extra) > 0)",
            "at least one platform is needed: telegram, discord or web",
            lambda p: bool(p.enabled()),
        ),
        Rule(
            f"!has(self.extra) || self.extra.all(n, !(n in {list(BUILT_IN)}))",
            "telegram, discord, web and terminal are no names of installed packages: switch them on beside extra",
            lambda p: p.extra.keys().isdisjoint(BUILT_IN),
            field="extra",
            spares_stored=True,
        ),
    )

    def enabled(self) -> dict[str, ApiModel | dict[str, Any]]:
        """Name to settings of each platform that is switched on."""
        found: dict[str, ApiModel | dict[str, Any]] = {}
        for name in type(self).model_fields:
            settings = getattr(self, name)
            if name != "extra" and settings is not None and getattr(settings, "enabled", True):
                found[name] = settings
        return found | self.extra

    def serves_http(self) -> bool:
        """Whether anything has to reach the gateways over HTTP: a page, a webhook, an installed platform's routes."""
        web = self.web is not None and self.web.enabled
        webhook = self.telegram is not None and self.telegram.mode == "webhook"
        return web or webhook or bool(self.extra)

    def hosts(self) -> list[str]:
        """Names of hosts that requests for the platforms come by, as far as the settings tell."""
        named = [] if self.web is None else list(self.web.hosts)
        if self.telegram is not None and self.telegram.webhook is not None:
            with suppress(ValueError):  # the bot says what is wrong with it
                named += filter(None, [urlsplit(self.telegram.webhook.url).hostname])
        return named
