"""The web page as a platform: a gateway half that serves the page (`gateway.py`) and a sender half that workers use
(`sender.py`). Both meet in one capped stream per session in the store (`entries.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from gptbot.manifest import BotConfig
    from gptbot.platforms.base import GatewayContext, PlatformGateway, Sender, SenderContext
    from gptbot_api.base import ApiModel
    from gptbot_api.doubts import Finding


class WebPlatform:
    """See `platforms.base.Platform`. What each half needs is imported when it is made."""

    name = "web"

    def gateway(self, context: GatewayContext) -> PlatformGateway:
        """The page, its events and its messages."""
        from gptbot.platforms.web.gateway import WebGateway

        return WebGateway(context)

    def sender(self, context: SenderContext) -> Sender:
        """Writes answers to the session's stream."""
        from gptbot.platforms.web.sender import WebSender

        return WebSender(context)

    def check(self, bot: BotConfig, settings: ApiModel | Mapping[str, Any]) -> Iterable[Finding]:
        """See `Checks`."""
        from gptbot.platforms.web.checks import check
        from gptbot_api.web import Web

        return check(bot, settings if isinstance(settings, Web) else Web.model_validate(settings))


PLATFORM = WebPlatform()
