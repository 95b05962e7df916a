"""What the fake remembers of a request."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.openai.parts import image_of

Outcome = Literal["open", "finished", "failed", "aborted"]


@dataclass
class Recorded:
    """One request, as it came and as it went."""

    body: dict[str, Any]
    """Its JSON; empty when it was none."""
    headers: Mapping[str, str]
    outcome: Outcome = "open"
    """`failed`: by a fault or refused; `aborted`: the client closed the connection."""
    status: int | None = None
    tokens_sent: int = 0
    last_token_at: float | None = None
    """When the last token was written, in seconds since 1970."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.body.get("messages", [])

    @property
    def last_user_message(self) -> str:
        """Text of the newest user message."""
        texts = (message_text(message) for message in reversed(self.messages) if message.get("role") == "user")
        return next(texts, "")

    @property
    def asked(self) -> str:
        """Text of the user messages that nobody answered yet: those at the end, a line each."""
        trailing = itertools.takewhile(lambda message: message.get("role") == "user", reversed(self.messages))
        return "\n".join(reversed([message_text(message) for message in trailing]))

    @property
    def images(self) -> list[bytes]:
        """The images that the model was shown, in order."""
        return [image for message in self.messages for image in images(message)]

    def end(self, outcome: Outcome) -> None:
        if self.outcome == "open":
            self.outcome = outcome
            self.ended.set()

    def public(self) -> dict[str, Any]:
        """For `/control/requests`; says whether a key came, not which."""
        return {
            "body": self.body,
            "outcome": self.outcome,
            "status": self.status,
            "tokens_sent": self.tokens_sent,
            "last_token_at": self.last_token_at,
            "authorized": "authorization" in {name.lower() for name in self.headers},
        }


def message_text(message: dict[str, Any]) -> str:
    """The text of a message, whose content may be a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def images(message: dict[str, Any]) -> list[bytes]:
    """The images of a message."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    found = [image_of(part) for part in parts if part.get("type") == "image_url"]
    return [image for image in found if image is not None]
