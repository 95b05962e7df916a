"""Files that a message came with: which of them the bot reads, and what of these goes into the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gptbot.files import images, limits, texts
from gptbot.files.errors import Unusable
from gptbot.platforms.inbound import Attachment
from gptbot.platforms.kinds import kind_of
from gptbot.platforms.web.multipart import Part
from gptbot.safety.normalize import normalize
from gptbot.safety.redaction import Redactor
from gptbot_api.llm import Llm

_SPARE = 1000
"""Characters beyond what is read of a text: so it is seen to have been cut."""
_BROKEN = b"\0"
"""Stands for a file that is not what it is called: neither a picture nor a text, so whoever reads it says so."""


@dataclass(frozen=True, slots=True)
class Attached:
    """The files of one message."""

    files: Sequence[Attachment] = ()
    contents: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    """Name in the store to content, of those that are to be read."""


async def attached(parts: Sequence[Part], message: str, llm: Llm, redactor: Redactor) -> Attached:
    """The files of a message, named after it. What is unreadable or too large is told of, and not kept.

    Images lose what is not the picture, and texts their personal data, here: the store has neither.
    """
    files, contents = list[Attachment](), dict[str, bytes]()
    for number, part in enumerate(parts):
        kind, mime = kind_of(part.mime, part.filename)
        name = f"{message}.{number}"
        file = Attachment(kind=kind, mime=mime, size=len(part.content), reference={"file": name})
        files.append(file)
        if number < limits.MOST_FILES and limits.readable(file, llm) and len(part.content) <= limits.BYTES[kind]:
            contents[name] = await asyncio.to_thread(_clean, kind, part.content, redactor)
    return Attached(files, contents)


def _clean(kind: str, content: bytes, redactor: Redactor) -> bytes:
    try:
        match kind:
            case "image":
                return images.clean(content).data
            case "text":
                text = texts.decode(content)[: limits.CHARACTERS + _SPARE]
                return redactor.redact(normalize(text)).encode() or b"\n"
            case _:
                return content or _BROKEN
    except Unusable:
        return _BROKEN
