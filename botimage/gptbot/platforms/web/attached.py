"""Files that a message came with: which of them the bot reads, and what of these goes into the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

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
_PATIENCE = 30.0
"""Seconds for the files of one message."""
_BROKEN = b"\0"
"""Stands for a file that is not what it is called: neither a picture nor a text, so whoever reads it says so."""


def attached(parts: Sequence[Part], message: str) -> list[Attachment]:
    """The files of a message, named after it, as they were posted: nothing of them is looked at yet."""
    files: list[Attachment] = []
    for number, part in enumerate(parts):
        kind, mime = kind_of(part.mime, part.filename)
        name = f"{message}.{number}"
        files.append(Attachment(kind=kind, mime=mime, size=len(part.content), reference={"file": name}))
    return files


class Cleaner:
    """Cleans files, one at a time: they cost a thread some time, and nobody takes all threads of the process."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._one = asyncio.Lock()

    async def contents(self, files: Sequence[Attachment], parts: Sequence[Part], llm: Llm) -> dict[str, bytes]:
        """Name in the store to content, of the files that are to be read; what is too large or of no use is not kept.

        Images lose what is not the picture, and texts their personal data, here: the store has neither. Raises
        TimeoutError: too many files wait for it.
        """
        found: dict[str, bytes] = {}
        async with asyncio.timeout(_PATIENCE):
            for file, part in list(zip(files, parts, strict=True))[: limits.MOST_FILES]:
                if limits.readable(file, llm) and len(part.content) <= limits.BYTES[file.kind]:
                    async with self._one:
                        content = await asyncio.to_thread(_clean, file.kind, part.content, self._redactor)
                    found[file.reference["file"]] = content
        return found


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
