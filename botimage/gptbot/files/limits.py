"""What files are read, and how much of them."""

from __future__ import annotations

from typing import Final

from gptbot.platforms.inbound import Attachment
from gptbot_api.llm import Llm

MOST_FILES: Final = 10
"""Files that one answer looks at: as many as platforms let people send at once."""
BYTES: Final = {"image": 5_000_000, "audio": 20_000_000, "text": 1_000_000}
"""Largest file of a kind. OpenAI takes recordings of up to 25 MB; an image becomes a third larger on its way."""
MOST_SECONDS: Final = 15 * 60.0
"""Length of a recording."""
CHARACTERS: Final = 16_000
"""Of a text file the model is told so many; the rest is left out, and it is told so."""


def readable(file: Attachment, llm: Llm) -> bool:
    """Whether the bot reads files of this kind at all."""
    match file.kind:
        case "text":
            return True
        case "image":
            return llm.vision or any(endpoint.vision for endpoint in llm.fallbacks)
        case "audio":
            return llm.transcription is not None
        case _:
            return False
