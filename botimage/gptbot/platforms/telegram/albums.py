"""Albums: each of their pictures is a message of its own (Bot API, `media_group_id`), the caption is on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gptbot.platforms.inbound import Inbound


def meant_together(messages: Sequence[Inbound]) -> list[Inbound]:
    """The messages; those of an album are all for the bot if one is. Files have their caption on the last of them."""
    meant = {(message.conversation, message.album) for message in messages if message.album and message.addressed}
    return [
        replace(message, addressed=True) if (message.conversation, message.album) in meant else message
        for message in messages
    ]
