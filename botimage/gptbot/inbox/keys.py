"""Names of the keys of one bot, and the hashing that keeps platform ids out of them."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from functools import cached_property

from gptbot_api.store_rights import key_prefix

KINDS: dict[str, str] = {
    "seen": "string", "mail": "list", "turn": "hash", "aside": "list", "asideturn": "hash", "last": "string",
    "ctx": "list", "sum": "string", "fold": "string", "set": "hash",
    "heard": "zset", "words": "hash", "in": "zset", "who": "zset", "met": "zset", "rate": "list", "told": "string",
    "pace": "list", "hold": "string", "tokens": "hash", "floods": "hash", "lease": "string", "runnable": "stream",
    "line": "hash", "waiting": "zset", "owner": "hash", "later": "zset", "stops": "stream", "dead": "stream",
    "model": "hash", "platforms": "hash", "gateways": "zset", "unreadable": "hash",
    "p:offset": "string", "p:menu": "string", "p:commands": "hash", "p:lacks": "string",
    "p:places": "zset", "p:thread": "string", "p:bucket": "string", "p:session": "string", "p:holding": "string",
    "p:identify": "string", "p:web:session": "stream", "p:web:wake": "stream", "p:web:files": "zset",
    "p:web:file": "list", "p:terminal": "stream",
}  # fmt: skip
"""What a key is called behind the bot's prefix, to the type it has in the store (as `TYPE` names it).

Of a platform's own, `p:PLATFORM:WHAT` or, where no other platform says it otherwise, `p:WHAT`.
"""
OF_THE_BOT = frozenset({
    "runnable", "line", "waiting", "owner", "later", "stops", "dead", "model", "platforms", "gateways", "tokens",
    "unreadable", "p:offset", "p:menu", "p:commands", "p:places", "p:web:files", "rate:bot:",
})  # fmt: skip
"""Keys of all conversations together, by what is behind the prefix."""
_KEY = re.compile(r"(\{[^{}]{1,400}\}:)(.{1,600})", re.DOTALL)


def kind_of(key: str) -> tuple[str, str, str] | None:
    """The bot's prefix, the rest, and the name in `KINDS` of a key; None when it is none that a bot has."""
    found = _KEY.fullmatch(key)
    if found is None or found[2].endswith(":unreadable"):
        return None
    parts = found[2].split(":")
    own = (":".join(parts[:3]), ":".join(parts[:2]), f"p:{parts[2]}" if len(parts) > 2 else "")
    for name in own if parts[0] == "p" else parts[:1]:
        if name in KINDS:
            return found[1], found[2], name
    return None


@dataclass(frozen=True)
class BotKeys:
    """Keys of one bot. All share the hash tag `{namespace/name}`, so that they live in one Redis Cluster slot."""

    bot: str
    """`namespace/name`."""
    pepper: bytes = field(repr=False)
    """The secret that pseudonyms are made with."""

    @cached_property
    def prefix(self) -> str:
        """What every key of the bot starts with."""
        return key_prefix(self.bot)

    def pseudonym(self, *parts: str) -> str:
        """A stable name for platform ids that tells nothing of them: 22 characters of HMAC-SHA256, base64url."""
        import base64

        digest = hmac.digest(self.pepper, "\x1f".join(parts).encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()

    def seen(self, event: str) -> str:
        """Marks a platform event as enqueued."""
        return f"{self.prefix}seen:{event}"

    def mail(self, conversation: str) -> str:
        """List: the conversation's unanswered messages, oldest first."""
        return f"{self.prefix}mail:{conversation}"

    def turn(self, conversation: str) -> str:
        """Hash: what the turn in progress already did."""
        return f"{self.prefix}turn:{conversation}"

    def aside(self, conversation: str) -> str:
        """List: messages that need no model, answered while the conversation's turn waits for it."""
        return f"{self.prefix}aside:{conversation}"

    def aside_turn(self, conversation: str) -> str:
        """Hash: what the turn for one of those already did."""
        return f"{self.prefix}asideturn:{conversation}"

    def last(self, conversation: str) -> str:
        """String: id of the last message that a turn sent."""
        return f"{self.prefix}last:{conversation}"

    def context(self, conversation: str) -> str:
        """List: the context."""
        return f"{self.prefix}ctx:{conversation}"

    def summary(self, conversation: str) -> str:
        """String: what was said before the context, in the model's words; lives as long as the context."""
        return f"{self.prefix}sum:{conversation}"

    def folding(self, conversation: str) -> str:
        """Which worker is folding the oldest messages of the context into the summary."""
        return f"{self.prefix}fold:{conversation}"

    def settings(self, conversation: str) -> str:
        """Hash: persona and language chosen in the conversation."""
        return f"{self.prefix}set:{conversation}"

    def heard(self, conversation: str) -> str:
        """Sorted set: events of the messages kept for `!summary`, by when they were sent (ms)."""
        return f"{self.prefix}heard:{conversation}"

    def words(self, conversation: str) -> str:
        """Hash: event to what was said, of the messages kept for `!summary`."""
        return f"{self.prefix}words:{conversation}"

    def chats(self, user: str) -> str:
        """Sorted set: where a user has written, by when (ms): `CONVERSATION SPEAKER`, in private without speaker."""
        return f"{self.prefix}in:{user}"

    def people(self, conversation: str) -> str:
        """Sorted set: who has written in a group, by when (ms): `USER SPEAKER`."""
        return f"{self.prefix}who:{conversation}"

    def met(self, conversation: str) -> str:
        """Sorted set: names of the people seen in a group (`user-k3Fq`), by when (ms)."""
        return f"{self.prefix}met:{conversation}"

    def rate(self, kind: str, who: str) -> str:
        """List: times (ms) of the last messages let in of a `user`, a `chat` or the `bot`, newest first.

        Those of edits are under `edits-user`, `edits-chat` and `edits-bot`.
        """
        return f"{self.prefix}rate:{kind}:{who}"

    def told(self, limit: str, who: str) -> str:
        """Marks that somebody was told of a limit in this window."""
        return f"{self.prefix}told:{limit}:{who}"

    def pace(self, platform: str, limit: str, who: str = "") -> str:
        """List: times (ms) of the last requests under a limit of a platform, newest first; some may be to come."""
        return f"{self.prefix}pace:{platform}:{limit}:{who}"

    def hold(self, platform: str, who: str = "") -> str:
        """Is there while a platform wants nothing sent to a chat, or to anyone."""
        return f"{self.prefix}hold:{platform}:{who}"

    @cached_property
    def tokens(self) -> str:
        """Hash: `tokens` that the model used on a `day` (days since 1970, UTC)."""
        return f"{self.prefix}tokens"

    def tokens_of(self, user: str) -> str:
        """Hash: the same of one user."""
        return f"{self.prefix}tokens:{user}"

    def floods(self, user: str) -> str:
        """Hash: `floods` of a user of late, and `until` when (ms) the user is muted for them."""
        return f"{self.prefix}floods:{user}"

    def lease(self, receiver: str) -> str:
        """Which gateway holds a receiver."""
        return f"{self.prefix}lease:{receiver}"

    def platform(self, platform: str, what: str) -> str:
        """For a platform's own use, such as an offset or the stream of a web session."""
        return f"{self.prefix}p:{platform}:{what}"

    @cached_property
    def runnable(self) -> str:
        """Stream: conversations with unanswered messages, at most one live entry each."""
        return f"{self.prefix}runnable"

    @cached_property
    def line(self) -> str:
        """Hash: where a conversation stands and on whose account, and which of a user's are in `runnable`."""
        return f"{self.prefix}line"

    @cached_property
    def waiting(self) -> str:
        """Sorted set: conversations whose user has enough others in `runnable`."""
        return f"{self.prefix}waiting"

    @cached_property
    def owner(self) -> str:
        """Hash: conversation to the fencing token of its worker; field `#` counts the tokens."""
        return f"{self.prefix}owner"

    @cached_property
    def later(self) -> str:
        """Sorted set: conversations to retry, by time in milliseconds."""
        return f"{self.prefix}later"

    @cached_property
    def stops(self) -> str:
        """Stream: fencing tokens of the turns whose answers nobody wants to go on."""
        return f"{self.prefix}stops"

    @cached_property
    def dead(self) -> str:
        """Stream: turns given up, with the reason."""
        return f"{self.prefix}dead"

    @cached_property
    def gateways(self) -> str:
        """Sorted set: gateways that are alive, by when (ms) they last said so."""
        return f"{self.prefix}gateways"

    @cached_property
    def unreadable(self) -> str:
        """Hash: key of the whole bot that was put aside because it could not be read, to when (ms)."""
        return f"{self.prefix}unreadable"

    @cached_property
    def model(self) -> str:
        """Hash: endpoint of the model, by its field in the GptBot, to what came of the last request to it, as JSON."""
        return f"{self.prefix}model"

    @cached_property
    def platforms(self) -> str:
        """Hash: platform, or receiver of one that is shared out, to what its gateway reports, as JSON."""
        return f"{self.prefix}platforms"
