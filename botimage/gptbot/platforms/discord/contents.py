"""What a message says besides its own text: cards and previews (embeds), a poll, texts of components, and what it
forwards (docs/resources/message). Names of authors and footers are left out: they are somebody's, or of no use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gptbot.platforms.discord.fields import Event, fields, objects, word
from gptbot.platforms.discord.spoken import anonymous

Read = Callable[[str], str]
"""Makes a text anonymous."""
_MOST_EMBEDS: Final = 10
_MOST_FIELDS: Final = 25
_MOST_SNAPSHOTS: Final = 10
_MOST_ANSWERS: Final = 25
_MOST_COMPONENTS: Final = 40
_TEXT_DISPLAY: Final = 10
"""A component that is a text (docs/components/reference, "Text Display")."""


def whole(message: Event, read: Read = anonymous) -> str:
    """All that a message says, text by text; empty: nothing."""
    return _joined([read(word(message, "content")), poll(message, read), *besides(message, read), forwarded(message)])


def besides(message: Event, read: Read = anonymous) -> list[str]:
    """The texts of its embeds and components."""
    embeds = [_embed(embed, read) for embed in objects(message, "embeds")[:_MOST_EMBEDS]]
    return [text for text in (*embeds, *_components(message, read)) if text]


def forwarded(message: Event) -> str:
    """What a message forwards. Discord tells no author of it (docs/resources/message, "Message Snapshots")."""
    found: list[str] = []
    for snapshot in snapshots(message):
        text = anonymous(word(snapshot, "content")).strip()
        found += [text, poll(snapshot, anonymous), *besides(snapshot)]
    return _joined(found)


def snapshots(message: Event) -> list[dict[str, Any]]:
    """The messages that a message forwards, as they were."""
    return [fields(snapshot, "message") for snapshot in objects(message, "message_snapshots")[:_MOST_SNAPSHOTS]]


def poll(message: Event, read: Read) -> str:
    """The question and the answers of its poll (docs/resources/poll); empty: it has none."""
    given = fields(message, "poll")
    question = word(fields(given, "question"), "text").strip()
    if not question:
        return ""
    answers = [
        word(fields(answer, "poll_media"), "text").strip() for answer in objects(given, "answers")[:_MOST_ANSWERS]
    ]
    return "\n".join([f"[poll] {read(question)}", *(f"- {read(answer)}" for answer in answers if answer)])


def _embed(embed: Event, read: Read) -> str:
    """Title, description and fields."""
    parts = [read(word(embed, name)).strip() for name in ("title", "description")]
    for each in objects(embed, "fields")[:_MOST_FIELDS]:
        name, value = (read(word(each, part)).strip() for part in ("name", "value"))
        parts.append(f"{name}: {value}" if name and value else name or value)
    return "\n".join(part for part in parts if part)


def _components(message: Event, read: Read) -> list[str]:
    """Texts that stand in components, in order: those of other bots may be made of nothing else."""
    found: list[str] = []
    left, waiting = _MOST_COMPONENTS, objects(message, "components")[::-1]
    while waiting and left:
        left -= 1
        component = waiting.pop()
        if component.get("type") == _TEXT_DISPLAY:
            found.append(read(word(component, "content")).strip())
        waiting += objects(component, "components")[::-1]
    return found


def _joined(texts: list[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())
