"""A question that came as several messages, such as pictures sent together: none of them is answered alone.

No platform says how many there will be. So a claim whose last message may be followed by another is put off for a
moment, until a look finds no more than the look before: that needs no clock, and outlasts gateways and workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from gptbot.inbox.envelope import Envelope

MOST_PARTS = 10
"""Messages of one album: no platform makes one of more."""
SETTLES = 1.5
"""Seconds between two looks: platforms deliver the parts one right after another."""
ALBUM_TTL = 3600
"""Seconds for which further parts of an album are known to belong to it."""


def growing(messages: Sequence[Envelope]) -> str | None:
    """What an album at the end of the messages looks like, if more of it may come: for the next look to compare."""
    album = messages[-1].album
    parts = sum(message.album == album for message in messages)
    return f"{album}:{parts}" if album and parts < MOST_PARTS else None


def _event(parts: Sequence[Envelope]) -> str:
    """The event of the message that has the words, which alone can be edited; none is, where several have words."""
    told = [message for message in parts if message.text.strip()]
    return told[0].event if len(told) == 1 else parts[0].event if not told else parts[0].album or parts[0].event


def questions(messages: Sequence[Envelope]) -> list[Envelope]:
    """The messages with each album as one: its words, its files in the order sent, each of them once."""
    found: list[Envelope] = []
    for _, group in groupby(enumerate(messages), lambda item: item[1].album or item[0]):
        parts = [message for _, message in group]
        files = [file for message in parts for file in message.attachments]
        found.append(replace(
            parts[0],
            event=_event(parts),
            text="\n\n".join(message.text for message in parts if message.text.strip()) or parts[0].text,
            quote=next((message.quote for message in parts if message.quote), ""),
            attachments=tuple(file for place, file in enumerate(files) if file not in files[:place]),
        ))  # fmt: skip
    return found
