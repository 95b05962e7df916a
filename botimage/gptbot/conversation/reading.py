"""Files of a question: fetched from the platform, cleaned, and put into words or shown to a model that sees.

What is fetched stays in memory until the answer is made. The context keeps the words: of an image only `[image]`.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from gptbot.conversation.marks import of_one
from gptbot.conversation.spending import Spending
from gptbot.delivery.live import Postponed
from gptbot.files import images, limits
from gptbot.files import texts as text_files
from gptbot.files.errors import Unusable
from gptbot.files.room import Room
from gptbot.inbox.envelope import Envelope
from gptbot.llm.errors import BadRequest, ContextTooLong
from gptbot.llm.transcription import Transcriber
from gptbot.llm.types import Usage
from gptbot.locales import Texts
from gptbot.platforms.base import Fetches, Releases, Sender
from gptbot.platforms.errors import FloodWait, Rejected, SendError, TooLarge
from gptbot.platforms.inbound import Attachment
from gptbot.safety.budgets import Account
from gptbot.safety.normalize import normalize
from gptbot.safety.redaction import Redactor
from gptbot.telemetry.logs import get_logger
from gptbot_api import GptBotSpec

log = get_logger("reading")

_ROOM = Room(48_000_000)
"""For all bots of the process."""
_TRIES = 3
_PAUSE = 0.5
_LATER = 10.0
_PATIENCE = 3
"""Tries of a turn after which a file is given up that the platform does not give."""
_SPEECH = 2000
"""Bytes of a second of speech, where a platform does not tell how long it is: 16 kbit/s, as of voice messages."""
_SPARE = 1000
"""Characters beyond the limit that are redacted with the rest: no half of a number is left at the end."""


class _Unread(Exception):
    """A file is not read; the text of the error is the name of the reason."""


@dataclass(slots=True)
class Read:
    """Questions with what was read of their files."""

    questions: list[str] = field(default_factory=list[str])
    """As they are asked and remembered; those of which nothing is left are not among them."""
    places: list[int] = field(default_factory=list[int])
    """Question by question, where its message stands among those that were read."""
    images: list[list[str]] = field(default_factory=list[list[str]])
    """Question by question, `data:` URLs."""
    unread: str | None = None
    """Why something was not read: the friendly sentence for the person."""


async def release(sender: Sender, messages: Sequence[Envelope]) -> None:
    """Let go of the files of messages that are answered, or given up. Raises nothing: they go by themselves, later."""
    if isinstance(sender, Releases):
        for message in messages:
            if message.attachments:
                with suppress(SendError):
                    await sender.release(message.address, [file.reference for file in message.attachments])


class Reader:
    """Reads files for one bot."""

    def __init__(
        self,
        spec: Callable[[], GptBotSpec],
        transcriber: Transcriber | None,
        spending: Callable[[Account], Spending] | None = None,
    ) -> None:
        """`spending` makes what counts the cost of listening on an account."""
        self._spending = spending
        self._spec = spec
        self._transcriber = transcriber

    @asynccontextmanager
    async def read(
        self, sender: Sender, messages: Sequence[Envelope], questions: Sequence[str], texts: Texts, attempts: int
    ) -> AsyncGenerator[Read]:
        """Read the files of messages into their questions; the memory for them is held meanwhile.

        `attempts`: how often the turn was tried before. Raises ModelError when the recording of a voice cannot be
        written down now, and Postponed when the platform gives a file later.
        """
        wanted = [file for message in messages for file in message.attachments][: limits.MOST_FILES]
        size = sum(self._size(file) for file in wanted)
        async with _ROOM.hold(size):
            read, reasons, left = Read(), list[str](), limits.MOST_FILES
            for place, (message, question) in enumerate(zip(messages, questions, strict=True)):
                words, shown = list[str](), list[str]()
                for file in message.attachments:
                    left -= 1
                    try:
                        if left < 0:
                            raise _Unread("many")
                        words.append(await self._words(sender, message, file, shown, attempts))
                    except _Unread as reason:
                        reasons.append(str(reason))
                if words or message.text.strip() or message.quote:
                    if message.speaker:
                        words = [f"  {of_one(word)}" for word in words]
                    read.questions.append("\n\n".join([question.rstrip(), *words]).strip())
                    read.places.append(place)
                    read.images.append(shown)
            read.unread = self._sentence(reasons[0], texts) if reasons else None
            yield read

    def _size(self, file: Attachment) -> int:
        most = limits.BYTES.get(file.kind, 0) if limits.readable(file, self._spec().llm) else 0
        return most if file.size is None else min(file.size, most)

    async def _words(self, sender: Sender, message: Envelope, file: Attachment, shown: list[str], attempts: int) -> str:
        """A file in words; an image is put to `shown`. Raises _Unread, ModelError, Postponed."""
        if not limits.readable(file, self._spec().llm):
            raise _Unread("kind")
        if (file.size or 0) > limits.BYTES[file.kind] or (file.seconds or 0) > limits.MOST_SECONDS:
            raise _Unread("large")
        data = await self._fetch(sender, message, file, attempts)
        try:
            match file.kind:
                case "image":
                    image = await asyncio.to_thread(images.clean, data)
                    shown.append(f"data:{image.mime};base64,{base64.b64encode(image.data).decode()}")
                    return "[image]"
                case "text":
                    return await asyncio.to_thread(self._quote, data, file.mime.partition("/")[2])
                case _:
                    return await self._hear(message, file, data)
        except Unusable as error:
            log.info("a file is not what it is called", kind=file.kind, reason=str(error))
            raise _Unread("broken") from None

    async def _fetch(self, sender: Sender, message: Envelope, file: Attachment, attempts: int) -> bytes:
        if not isinstance(sender, Fetches):
            raise _Unread("kind")
        for attempt in range(1, _TRIES + 1):
            try:
                return await sender.fetch(message.address, file.reference, limits.BYTES[file.kind])
            except TooLarge:
                raise _Unread("large") from None
            except Rejected as error:
                log.warning("a file cannot be fetched", reason=str(error), platform=message.platform)
                raise _Unread("gone") from None
            except FloodWait as flood:
                raise Postponed(flood.retry_after, "the platform gives files later") from None
            except SendError as error:
                if attempt == _TRIES:
                    if attempts + 1 >= _PATIENCE:
                        log.warning("a file is given up", reason=str(error), platform=message.platform)
                        raise _Unread("gone") from None
                    raise Postponed(_LATER, str(error)) from None
            await asyncio.sleep(_PAUSE * attempt)
        raise AssertionError("unreachable")

    async def _hear(self, message: Envelope, file: Attachment, data: bytes) -> str:
        assert self._transcriber is not None  # else audio is not readable
        try:
            text = await self._transcribe(self._transcriber, message, file, data)
        except (BadRequest, ContextTooLong) as error:
            log.warning("a recording is not taken", reason=str(error))
            raise _Unread("broken") from None
        text = (await asyncio.to_thread(self._redacted, text))[0].strip()
        if not text:
            raise _Unread("silent")
        return text

    async def _transcribe(self, ear: Transcriber, message: Envelope, file: Attachment, data: bytes) -> str:
        """The words of a recording, on the account of whoever spoke. Raises ModelError."""
        if self._spending is None:
            return await ear.transcribe(data, file.mime)
        used = list[Usage | None]()
        spending = self._spending(Account(f"hear:{message.event}", message.event, (message.user,)))
        async with spending.counted():
            await spending.before_listening(ear.endpoint, file.seconds or len(data) / _SPEECH)
            text = await ear.transcribe(data, file.mime, used.append)
            spending.use(ear.endpoint, used[0] or Usage(0, -(-len(text) // 3)))
        return text

    def _quote(self, data: bytes, language: str) -> str:
        """A text file as the model is told it: in a fence that nothing in it closes."""
        text, cut = self._redacted(text_files.decode(data))
        if not text.strip():
            return f"[file: {language}, empty]"
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
        note = f", only its first {limits.CHARACTERS} characters" if cut else ""
        return f"[file: {language}{note}]\n{fence}{language}\n{text.rstrip()}\n{fence}"

    def _redacted(self, text: str) -> tuple[str, bool]:
        """Plain and without personal data, and whether it was cut."""
        plain = Redactor(self._spec().privacy.redact).redact(normalize(text[: limits.CHARACTERS + _SPARE]))
        return plain[: limits.CHARACTERS], len(text) > limits.CHARACTERS or len(plain) > limits.CHARACTERS

    def _sentence(self, reason: str, texts: Texts) -> str:
        llm = self._spec().llm
        kinds = [
            texts(f"file-can-{kind}")
            for kind in ("text", "image", "audio")
            if limits.readable(Attachment(kind=kind, mime="", size=None, reference={}), llm)
        ]
        values = {
            "can": ", ".join(kinds), "files": limits.MOST_FILES, "minutes": int(limits.MOST_SECONDS // 60),
            "image": limits.BYTES["image"] // 1_000_000, "text": limits.BYTES["text"] // 1_000_000,
            "audio": limits.BYTES["audio"] // 1_000_000,
        }  # fmt: skip
        return texts(f"file-{reason}", **values)
