"""The platform `relay`: whatever can post JSON talks to the bot, and gets its answers posted back.

This module is imported by every process of a bot, also by workers: each half is imported when it is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gptbot.manifest import BotConfig
    from gptbot.platforms.base import GatewayContext, PlatformGateway, Sender, SenderContext
    from gptbot_api.base import ApiModel
    from gptbot_api.doubts import Finding


class RelayPlatform:
    """See `gptbot.platforms.base.Platform`."""

    name = "relay"

    def gateway(self, context: GatewayContext) -> PlatformGateway:
        """The receiving half. Raises InvalidManifest when settings or token cannot be used: the status says so."""
        from gptbot_relay.gateway import RelayGateway
        from gptbot_relay.settings import read, token

        return RelayGateway(context, token(context.bot, read(context.settings)))

    def sender(self, context: SenderContext) -> Sender:
        """The answering half. Raises InvalidManifest likewise."""
        from gptbot_relay.sender import RelaySender
        from gptbot_relay.settings import read, token

        settings = read(context.settings)
        return RelaySender(context.http, settings.reply_url, token(context.bot, settings))

    def check(self, bot: BotConfig, settings: ApiModel | Mapping[str, Any]) -> Iterator[Finding]:
        """What `gptbot validate` and `gptbot run` say of the settings, before anything is started."""
        from gptbot_relay.settings import check

        return check(bot, settings)


PLATFORM = RelayPlatform()
