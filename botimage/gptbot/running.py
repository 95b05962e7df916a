"""How commands such as `gptbot chat` and `gptbot dead` reach a bot that another process runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import orjson

from gptbot.local import RUNNING
from gptbot.manifest import BotConfig
from gptbot_api import Fault, InvalidManifest


def choose(configs: Sequence[BotConfig], name: str) -> BotConfig:
    """The bot of that name (or `namespace/name`); without a name the only one. Raises InvalidManifest."""
    keys = ", ".join(config.key for config in configs)
    if not name:
        if len(configs) > 1:
            raise InvalidManifest([Fault("--bot", f"the files hold several bots, say which: {keys}")])
        return configs[0]
    found = next((config for config in configs if name in (config.key, config.bot.metadata.name)), None)
    if found is None:
        raise InvalidManifest([Fault("--bot", f"the files hold no bot {name}; there are: {keys}")])
    return found


def store_of_running(directory: Path, config: BotConfig) -> str | None:
    """URL of the store that `gptbot run` with this data directory keeps the bot in; None while it does not run."""
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
        state = orjson.loads((directory / RUNNING).read_bytes())
        os.kill(state["pid"], 0)
        if config.key in state["bots"]:
            return _own_store(config) or state["store"]
    return None


def store_of(directory: Path, config: BotConfig) -> str:
    """URL of the bot's store: its own, the environment's, or the running process's. Raises InvalidManifest."""
    found = _own_store(config) or os.environ.get("GPTBOT_STORE_URL") or store_of_running(directory, config)
    if found is None:
        message = "is not running here and names no store: start it, or give its store with GPTBOT_STORE_URL"
        raise InvalidManifest([Fault(config.key, message)])
    return found


def _own_store(config: BotConfig) -> str | None:
    store = config.bot.spec.store
    return None if store is None else config.secret(store.url_secret_ref, "spec.store.urlSecretRef")
