"""The Secret that the operator makes for a bot: the pepper, its login at the shared store, copies of default keys."""

from __future__ import annotations

import base64

from gptbot_api import GptBot
from gptbot_operator.desired.context import ROTATE_ANNOTATION, Context, Manifest, child, config_name

PEPPER = "pepper"
STORE_URL = "store-url"
USED_STORE = "used-store"
"""The store that holds what the bot keeps, while it is not the one that `store-url` names: a URL, or `SHARED`."""
MOVING_TO = "moving-to"
"""The store to which some of that may have gone already, in the middle of a move: a URL, or `SHARED`."""
SHARED = "shared"


def secret(bot: GptBot, context: Context) -> Manifest:
    """The Secret. The pepper comes from the context: made once, then kept, as conversations are named by it."""
    data = {PEPPER: context.pepper}
    if context.store_url is not None:
        data[STORE_URL] = context.store_url
    if context.used_store is not None and (context.used_store != SHARED or context.store_url is None):
        data[USED_STORE] = context.used_store
    if context.moving_to is not None:
        data[MOVING_TO] = context.moving_to
    data |= {reference.key: value for reference, value in context.copied.items()}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    manifest: Manifest = child(bot, "v1", "Secret", config_name(bot), "config") | {"type": "Opaque", "data": encoded}
    if context.rotation is not None:
        manifest["metadata"]["annotations"] = {ROTATE_ANNOTATION: context.rotation}
    return manifest
