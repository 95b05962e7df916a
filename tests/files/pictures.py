"""Pictures that tell where they were taken: the same secret words in all the places that a format has for them."""

from __future__ import annotations

import struct
import zlib

SECRET = b"GPS 55.7558N 37.6173E Ada"
"""What must be gone."""


def exif(order: str = ">", orientation: int | None = None) -> bytes:
    """Exif data with a text, and with an orientation."""
    mark = b"MM" if order == ">" else b"II"
    entries = [(0x010E, 2, len(SECRET), 200)]
    if orientation is not None:
        entries.append((0x0112, 3, 1, orientation << 16 if order == ">" else orientation))
    body = mark + struct.pack(f"{order}HIH", 42, 8, len(entries))
    body += b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    return (body + b"\0" * 4).ljust(200, b"\0") + SECRET


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(*, orientation: int | None = None, order: str = ">", behind: bytes = b"") -> bytes:
    """A JPEG in two scans, with a restart and a stuffed byte, and with all that may come along."""
    return b"".join([
        b"\xff\xd8",
        segment(0xE0, b"JFIF\0\x01\x02\x01\0\x48\0\x48\x02\x02" + SECRET[:12]),
        segment(0xE1, b"Exif\0\0" + exif(order, orientation)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET),
        segment(0xE2, b"ICC_PROFILE\0" + SECRET),
        segment(0xED, b"Photoshop 3.0\0" + SECRET),
        segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01"),
        segment(0xFE, SECRET),
        segment(0xDB, b"\0" + bytes(range(64))),
        segment(0xC2, b"\x08\0\x01\0\x01\x01\x01\x11\0"),
        b"\xff\xff", segment(0xC4, b"\0" + bytes(16))[1:],
        segment(0xDA, b"\x01\x01\0\0\0\0"), b"scan one\xff\x00\xff\xd0more",
        segment(0xFE, SECRET),
        segment(0xDA, b"\x01\x01\0\0\0\0"), b"scan two\xff\x00",
        b"\xff\xd9", behind,
    ])  # fmt: skip


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png() -> bytes:
    """A red pixel, and much about it."""
    return b"".join([
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        chunk(b"gAMA", struct.pack(">I", 45455)),
        chunk(b"iCCP", b"name\0\0" + SECRET),
        chunk(b"tEXt", b"Author\0" + SECRET),
        chunk(b"eXIf", exif()),
        chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + SECRET),
        chunk(b"IEND", b""), SECRET,
    ])  # fmt: skip


def riff(kind: bytes, content: bytes) -> bytes:
    """A chunk of a WebP."""
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def webp(flags: int = 0x2C) -> bytes:
    """A WebP with profile, Exif and XMP; its own flags say so."""
    body = b"WEBP" + b"".join([
        riff(b"VP8X", bytes([flags]) + bytes(9)), riff(b"ICCP", SECRET), riff(b"VP8L", b"\x2fpixels"),
        riff(b"EXIF", exif()), riff(b"XMP ", SECRET), riff(b"UNKN", SECRET),
    ])  # fmt: skip
    return b"RIFF" + struct.pack("<I", len(body)) + body + SECRET


def gif() -> bytes:
    """Two frames, a comment, and XMP."""
    frame = b"\x2c" + bytes(4) + b"\x01\0\x01\0\0\x02" + b"\x02\x4c\x01\0"
    return b"".join([
        b"GIF89a\x01\0\x01\0\x80\0\0", b"\0\0\0\xff\xff\xff",
        b"\x21\xfe" + bytes([len(SECRET)]) + SECRET + b"\0",
        b"\x21\xff\x0bXMP DataXMP" + bytes([len(SECRET)]) + SECRET + b"\0",
        b"\x21\xf9\x04\x01\0\0\0\0", frame, b"\x21\xf9\x04\x01\0\0\0\0", frame, b"\x3b", SECRET,
    ])  # fmt: skip


PICTURES_AS_TEXT = (jpeg(), png(), webp(), gif())
"""Files that nobody should take for texts."""
