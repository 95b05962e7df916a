"""Discord: a gateway on discord.py that receives, and a sender on plain REST (API v10) that answers.

Importing this package loads neither: `import discord` inside it is the library, never this folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gptbot.platforms.base import GatewayContext, PlatformGateway, Sender, SenderContext


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


PLATFORM = DiscordPlatform()
