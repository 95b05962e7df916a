"""Discord: a gateway on discord.py that receives, and a sender on plain REST (API v10) that answers.

Importing this package loads neither: `import discord` inside it is the library, never this folder.
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


class DiscordPlatform:
    """The platform `discord`. See `gptbot.platforms.base.Platform`."""

    name = "discord"

    def gateway(self, context: GatewayContext) -> PlatformGateway:
        """The receiving half; loads discord.py."""
        from gptbot.platforms.discord.gateway import DiscordGateway

        return DiscordGateway(context)

    def sender(self, context: SenderContext) -> Sender:
        """The answering half; loads nothing heavier than aiohttp."""
        from gptbot.platforms.discord.sender import DiscordSender

        return DiscordSender(context)

    def check(self, bot: BotConfig, settings: ApiModel | Mapping[str, Any]) -> Iterable[Finding]:
        """See `Checks`."""
        from gptbot.platforms.discord.checks import check
        from gptbot_api.platforms import Discord

        return check(bot, settings if isinstance(settings, Discord) else Discord.model_validate(settings))


PLATFORM = DiscordPlatform()
