"""The address at which a bot is invited to a server, with what it needs there (docs/discord.md)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

_VIEW_CHANNEL: Final = 1 << 10
_SEND_MESSAGES: Final = 1 << 11
_READ_MESSAGE_HISTORY: Final = 1 << 16
_SEND_MESSAGES_IN_THREADS: Final = 1 << 38
PERMISSIONS: Final = _VIEW_CHANNEL | _SEND_MESSAGES | _READ_MESSAGE_HISTORY | _SEND_MESSAGES_IN_THREADS


def invitation(application: str) -> str:
    """Where somebody with the right to manage a server adds the application's bot to it."""
    query = {"client_id": application, "scope": "bot applications.commands", "permissions": PERMISSIONS}
    return f"https://discord.com/oauth2/authorize?{urlencode(query)}"
