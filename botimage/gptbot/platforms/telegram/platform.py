"""The platform object. It loads each half when it is asked for: the gateway's takes long, the sender's does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gptbot.platforms.base import GatewayContext, Platform, PlatformGateway, Sender, SenderContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from gptbot.manifest import BotConfig
    from gptbot_api.base import ApiModel
    from gptbot_api.doubts import Finding
    from gptbot_api.platforms import Telegram


class TelegramPlatform:
    """Telegram, as the entry point `telegram` names it."""

    name = "telegram"

    def gateway(self, context: GatewayContext) -> PlatformGateway:
        """Make the receiving half. Imports aiogram, which takes a second or two."""
        from gptbot.platforms.telegram import loading

        loading.load()
        from gptbot.platforms.telegram.gateway import TelegramGateway

        return TelegramGateway(context, settings_of(context.settings))

    def sender(self, context: SenderContext) -> Sender:
        """Make the answering half. Raises InvalidManifest when the token is not there."""
        from gptbot.platforms.telegram.api import BotApi
        from gptbot.platforms.telegram.features import Features
        from gptbot.platforms.telegram.sender import TelegramSender

        settings = settings_of(context.settings)
        token = context.bot.secret(settings.token_secret_ref, TOKEN_PATH)
        features = Features(context.store, context.keys, settings.api_base_url)
        return TelegramSender(BotApi(context.http, settings.api_base_url, token), features)

    def check(self, bot: BotConfig, settings: ApiModel | Mapping[str, Any]) -> Iterable[Finding]:
        """See `Checks`."""
        from gptbot.platforms.telegram.checks import check

        return check(bot, settings_of(settings))


TOKEN_PATH = "spec.platforms.telegram.tokenSecretRef"  # noqa: S105 - the path of a field
SECRET_PATH = "spec.platforms.telegram.webhook.secretRef"  # noqa: S105 - the path of a field


def settings_of(settings: ApiModel | Mapping[str, Any]) -> Telegram:
    """What stands under `spec.platforms.telegram`, as its model."""
    from gptbot_api.platforms import Telegram

    return settings if isinstance(settings, Telegram) else Telegram.model_validate(settings)


PLATFORM: Platform = TelegramPlatform()
