"""Picks up changes of a manifest that need no restart: personas, limits, access, context, privacy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from gptbot.bot import Bot
from gptbot.manifest import BotConfig, load
from gptbot.telemetry.logs import get_logger
from gptbot_api import InvalidManifest

log = get_logger("manifest")

INTERVAL = 10.0
"""Seconds between two looks. The kubelet itself takes up to a minute to renew a mounted ConfigMap."""
LIVE_FIELDS = (
    "personas", "default_persona", "custom_persona", "greeting", "about", "answer_in", "context", "limits", "access",
    "privacy",
)  # fmt: skip


async def watch(bots: Sequence[Bot], files: Sequence[Path], directory: Path | None) -> None:
    """Look at the files for ever; a manifest that has become invalid is reported and the old one kept."""
    complained = ""
    while True:
        await asyncio.sleep(INTERVAL)
        try:
            found = {config.key: config for config in await asyncio.to_thread(load, files, directory)}
        except InvalidManifest as error:
            if str(error) != complained:
                complained = str(error)
                log.error("the manifest is not valid any more; going on with the last valid one", reason=complained)
            continue
        complained = ""
        for bot in bots:
            if (config := found.get(bot.key)) is not None:
                apply(bot, config)


def apply(bot: Bot, config: BotConfig) -> bool:
    """Take over the live fields of a new configuration; whether anything changed."""
    old, new = bot.config.bot.spec, config.bot.spec
    changes = {name: getattr(new, name) for name in LIVE_FIELDS if getattr(new, name) != getattr(old, name)}
    if not changes:
        return False
    spec = old.model_copy(update=changes)
    bot.config = BotConfig(
        bot.config.bot.model_copy(update={"spec": spec}), config.secrets, config.config_maps, config.directory
    )
    log.info("the manifest has changed", bot=bot.key, fields=sorted(changes))
    return True
