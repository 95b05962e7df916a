"""Files in a message of Telegram: their ids, and nothing of their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiogram.types import Message, PhotoSize

from gptbot.platforms.inbound import Attachment
from gptbot.platforms.kinds import kind_of
from gptbot.platforms.telegram.limits import PHOTO_BYTES


def attachments(message: Message) -> tuple[Attachment, ...]:
    """What a message carries besides its text, and what can be read of what it replies to.

    A message has one file at most: each of an album is one of its own (`albums.py`).
    """
    own, to = tuple(_found(message))[:1], message.reply_to_message
    if to is None or to.from_user is None or to.from_user.is_bot:
        return own
    return *own, *(file for file in tuple(_found(to))[:1] if file.kind != "other")


def _found(message: Message) -> Iterator[Attachment]:
    if message.photo:
        photo = _fitting(message.photo)
        yield Attachment(kind="image", mime="image/jpeg", size=photo.file_size, reference=_file(photo.file_id))
    if voice := message.voice:
        yield Attachment(
            kind="audio", mime="audio/ogg", size=voice.file_size, seconds=voice.duration,
            reference=_file(voice.file_id),
        )  # fmt: skip
    if audio := message.audio:
        kind, mime = kind_of(audio.mime_type or "audio/mpeg", audio.file_name)
        yield Attachment(
            kind=kind, mime=mime, size=audio.file_size, seconds=audio.duration, reference=_file(audio.file_id)
        )
    for video in (message.animation, message.video_note, message.video):  # an animation is a document too
        if video is not None:
            yield Attachment(kind="other", mime="video/mp4", size=video.file_size, reference=_file(video.file_id))
    if sticker := message.sticker:
        yield Attachment(kind="other", mime="", size=sticker.file_size, reference=_file(sticker.file_id))
    if document := message.document:
        kind, mime = kind_of(document.mime_type, document.file_name)
        yield Attachment(kind=kind, mime=mime, size=document.file_size, reference=_file(document.file_id))


def _file(file_id: str) -> dict[str, str]:
    return {"file_id": file_id}


def _fitting(sizes: Sequence[PhotoSize]) -> PhotoSize:
    """The largest of a photo's sizes that is not larger than what models need; the smallest if all are."""
    ordered = sorted(sizes, key=lambda size: size.width * size.height)
    fitting = [size for size in ordered if (size.file_size or 0) <= PHOTO_BYTES]
    return fitting[-1] if fitting else ordered[0]
