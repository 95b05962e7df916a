"""Images without what only accompanies the picture: place and time of the shot, camera, names, thumbnails, comments.

A photo's Exif tells where its author lives. The pixels are not decoded: parts are copied or left out, which costs
next to nothing and opens no decoder to strangers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gptbot.files.errors import NotAnImage
from gptbot.files.gif import clean_gif
from gptbot.files.jpeg import clean_jpeg
from gptbot.files.png import clean_png
from gptbot.files.webp import clean_webp

_FORMATS: tuple[tuple[str, Callable[[bytes], bool], Callable[[bytes], bytes]], ...] = (
    ("image/jpeg", lambda data: data.startswith(b"\xff\xd8\xff"), clean_jpeg),
    ("image/png", lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"), clean_png),
    ("image/webp", lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", clean_webp),
    ("image/gif", lambda data: data[:6] in (b"GIF87a", b"GIF89a"), clean_gif),
)


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An image that shows its picture and tells nothing else."""

    mime: str
    """What it is, by its content."""
    data: bytes = field(repr=False)


def clean(data: bytes) -> CleanImage:
    """The image without metadata, by its content and whatever it was called. Raises NotAnImage."""
    for mime, fits, strip in _FORMATS:
        if fits(data):
            return CleanImage(mime, strip(data))
    raise NotAnImage("neither JPEG, PNG, WebP nor GIF")
