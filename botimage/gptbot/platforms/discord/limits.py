"""What Discord allows: figures, codes and flags, each with the page of its developer documentation."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gptbot.platforms.pace import Limit

MAX_CONTENT: Final = 2000
"""Characters of a message (docs/resources/message, "Create Message"). Discord counts Unicode code points, as Python's
`len` does: its API is written in Python (discord-api-docs issue 1315)."""
MAX_NONCE: Final = 25
"""Characters of a nonce (docs/resources/message, "Create Message"). With `enforce_nonce` a second message of the same
author with the same nonce, within a few minutes, is the first one."""
EDIT_INTERVAL: Final = 1.0
"""Seconds between edits of a message: editing shares a bucket of about 5 requests in 5 s a channel. The figure is not
documented (docs/topics/rate-limits says to read the headers), so the headers decide."""

REQUESTS_A_SECOND: Final = 50
"""Requests of one bot, those of interactions not counted (docs/topics/rate-limits, "Global Rate Limit")."""
_GATEWAYS: Final = 5
"""Of them left to gateways, which fetch what was missed."""
ALL: Final = Limit(name="all", requests=REQUESTS_A_SECOND - _GATEWAYS, seconds=1.0, interim=25)
TYPING: Final = replace(ALL, interim=10)
"""Typing comes after all else."""

INTERACTION_DEADLINE: Final = 3.0
"""Seconds in which an interaction must be answered or deferred (docs/interactions/receiving-and-responding)."""
INTERACTION_LIFETIME: Final = 15 * 60.0
"""Seconds that the token of an interaction is good for (same page)."""
EPOCH_MS: Final = 1_420_070_400_000
"""Start of Discord's time: the upper 42 bits of an id are milliseconds since then (docs/reference, "Snowflakes")."""

IDENTIFY_WINDOW: Final = 5.0
"""Seconds in which at most `max_concurrency` shards may IDENTIFY (docs/events/gateway, "Session Start Limit")."""
STARTS_A_DAY: Final = 1000
"""Sessions that a bot may start in a day, where Discord does not say how many are left (same page)."""

SUPPRESS_EMBEDS: Final = 1 << 2
"""Message flag: links get no preview (docs/resources/message, "Message Flags")."""
EPHEMERAL: Final = 1 << 6
"""Message flag: only who gave the command or pressed the button sees it (same page)."""
MAX_LABEL: Final = 80
"""Characters of a button's label (docs/components/reference, "Button")."""
MAX_CUSTOM_ID: Final = 100
"""Characters of a component's `custom_id` (docs/components/reference)."""
ROW, ROWS = 5, 5
"""Buttons of an action row, and action rows of a message (docs/components/reference, "Action Row")."""
ADMINISTRATOR: Final = 1 << 3
"""Permission to do everything (docs/topics/permissions)."""
MANAGE_GUILD: Final = 1 << 5
"""Permission to manage a server (docs/topics/permissions)."""
VIEW_CHANNEL: Final = 1 << 10
"""Permission to see a channel (docs/topics/permissions)."""
READ_MESSAGE_HISTORY: Final = 1 << 16
"""Permission to read what was said in a channel before (docs/topics/permissions)."""
SEND_MESSAGES: Final = 1 << 11
"""Permission to write in a channel (docs/topics/permissions)."""
SEND_MESSAGES_IN_THREADS: Final = 1 << 38
"""Permission to write in a thread (docs/topics/permissions)."""

COMMAND_NAME: Final = r"^[-_'\w]{1,32}$"
"""Names of slash commands and options, in lower case (docs/interactions/application-commands)."""
MAX_DESCRIPTION: Final = 100
"""Characters of the description of a command or option (docs/interactions/application-commands)."""
MAX_CHOICES: Final = 25
"""Choices of an option (docs/interactions/application-commands)."""
LOCALES: Final = frozenset(
    (
        "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR",
        "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
    )
)  # fmt: skip
"""Languages Discord knows (docs/reference, "Locales")."""


class Code:
    """JSON error codes (docs/topics/opcodes-and-status-codes)."""

    UNKNOWN_MESSAGE: Final = 10008
    UNKNOWN_WEBHOOK: Final = 10015
    UNKNOWN_INTERACTION: Final = 10062
    ALREADY_ACKNOWLEDGED: Final = 40060
    INVALID_WEBHOOK_TOKEN: Final = 50027
    INVALID_FORM: Final = 50035
    CANNOT_REPLY_WITHOUT_HISTORY: Final = 160002


class Close:
    """Close codes of the gateway after which the same connection cannot be tried again (same page)."""

    AUTHENTICATION_FAILED: Final = 4004
    INVALID_SHARD: Final = 4010
    SHARDING_REQUIRED: Final = 4011
    INVALID_API_VERSION: Final = 4012
    INVALID_INTENTS: Final = 4013
    DISALLOWED_INTENTS: Final = 4014


def created(id_: str) -> float:
    """When an id was made, in seconds since 1970."""
    return ((int(id_) >> 22) + EPOCH_MS) / 1000


def snowflake(seconds: float) -> str:
    """The first id of a moment, given in seconds since 1970."""
    return str(max(0, round(seconds * 1000) - EPOCH_MS) << 22)
