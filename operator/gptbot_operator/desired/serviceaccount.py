"""The ServiceAccount of the bot's pods: it has no rights, and its token is not mounted."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.desired.context import Manifest, child, config_name


def service_account(bot: GptBot) -> Manifest:
    """The ServiceAccount."""
    return child(bot, "v1", "ServiceAccount", config_name(bot), "config") | {"automountServiceAccountToken": False}
