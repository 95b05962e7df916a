"""Figures of the Bot API, each with its source, and the waits that follow from them. Times are in seconds."""

from __future__ import annotations

from typing import Final

from gptbot.platforms.pace import Limit

MAX_LENGTH: Final = 4096
"""UTF-16 code units of a text message after its entities are parsed (Bot API, `sendMessage`: 1-4096 characters)."""

RICH_MAX_LENGTH: Final = 32768
"""Characters of a rich message (Bot API, "Rich message limits"); here UTF-16 code units, which are no fewer."""

MOST_ENTITIES: Final = 300
"""Entities of a message, sizes of a photo, people who joined that are read; Telegram sends 100 at most."""
RICH_MOST_PARTS: Final = 5_000
"""Blocks and parts of texts of a rich message that are read; Telegram takes 500 blocks."""

CALLBACK_DATA: Final = 64
"""Bytes of a button's `callback_data` at most (Bot API, `InlineKeyboardButton`)."""

CHAT_INTERVAL: Final = 1.0
"""Between two messages to one chat; short bursts pass (Bots FAQ, "My bot is hitting limits"). Edits count as well."""

GROUP_MESSAGES_A_MINUTE: Final = 20
"""Messages to one group (Bots FAQ, "My bot is hitting limits")."""

MESSAGES_A_SECOND: Final = 30
"""Messages to all chats together (Bots FAQ, "My bot is hitting limits")."""

CHAT: Final = Limit(name="chat", requests=3, seconds=3 * CHAT_INTERVAL, interim=2, chat=True)
"""One a second with short bursts: the final text may follow right after an edit."""
GROUP: Final = Limit(name="group", requests=GROUP_MESSAGES_A_MINUTE, seconds=60.0, interim=12, chat=True)
ALL: Final = Limit(name="all", requests=MESSAGES_A_SECOND, seconds=1.0, interim=10)

LOOKS: Final = 20
"""Ids that are looked at for a message whose send had no answer, at most."""
BEYOND: Final = 8
"""How many of them may be higher than the newest that is known: other processes send as well."""

TYPING_LASTS: Final = 5.0
"""How long a chat action is shown at most (Bot API, `sendChatAction`)."""

COMMAND_NAME: Final = r"[a-z0-9_]{1,32}"
"""What a command may be called (Bot API, `BotCommand`)."""
COMMAND_DESCRIPTION: Final = 256
"""Longest description of a command in characters (Bot API, `BotCommand`)."""
MAX_COMMANDS: Final = 100
"""Commands in one menu (Bot API, `setMyCommands`)."""

SECRET_TOKEN: Final = r"[A-Za-z0-9_-]{1,256}"  # noqa: S105 - a pattern
"""What a webhook's secret token may be (Bot API, `setWebhook`)."""
MAX_UPDATE_BYTES: Final = 1 << 20
"""Largest update taken from a webhook. A message is 4096 characters and its entities: far below."""
WEBHOOK_CONNECTIONS: Final = 40
"""Updates posted at the same time (Bot API, `setWebhook`, `max_connections`: 40 unless told)."""

DOWNLOAD_BYTES: Final = 20 * 1000 * 1000
"""Largest file that a bot may fetch (Bot API, `getFile`: 20 MB)."""
DOWNLOAD_TIMEOUT: Final = 60.0
"""For a whole file, in seconds."""
PHOTO_BYTES: Final = 5 * 1000 * 1000
"""Of a photo's sizes, larger ones than this are passed over."""

POLL_TIMEOUT: Final = 30
"""How long `getUpdates` waits for something to come. The server waits 50 at most (telegram-bot-api, `Client.cpp`)."""
POLL_BATCH: Final = 100
"""Updates of one `getUpdates` (Bot API: 100 at most)."""
OFFSET_LASTS: Final = 6 * 86400
"""How long a kept offset means anything: after a week without updates ids start anew (Bot API, `Update.update_id`)."""
MENU_LASTS: Final = 86400
"""How long a command menu is taken to be as it was set."""
FEATURES_LAST: Final = 86400
"""How long a method that the server does not know is left alone: it may have been updated since."""
FEATURES_LOOK: Final = 600
"""How often a worker asks the store what others found out about the server."""
DRAFT_LASTS: Final = 30.0
"""How long a draft is shown when nothing follows (Bot API, `sendMessageDraft`)."""
WEBHOOK_CHECK: Final = 60.0
"""How often the webhook is looked at."""

CONNECT_TIMEOUT: Final = 5.0
"""To reach the Bot API server."""
ANSWER_TIMEOUT: Final = 5
"""For what is nice to have after a button was pressed: the end of its progress bar, the keyboard gone."""
REQUEST_TIMEOUT: Final = 30.0
"""For one answer of the Bot API server; of a long poll, on top of its own waiting."""
TYPING_TIMEOUT: Final = 5.0
"""For a chat action: nobody waits longer for what does not matter."""

RETRY_FIRST: Final = 0.5
"""First wait after trouble; it doubles."""
RETRY_MOST: Final = 30.0
"""Longest wait after trouble, unless the server asks for a longer one."""
POISON_ATTEMPTS: Final = 5
"""How often an update is offered again that makes the intake fail in a way nobody expected."""


def utf16_length(text: str) -> int:
    """Length as Telegram counts it: in UTF-16 code units. A lone surrogate counts as one."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) >> 1
