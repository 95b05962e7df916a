"""JPEG (ITU T.81) without application data and comments; the orientation is kept, for it says which way is up."""

from __future__ import annotations

import re
import struct

from gptbot.files.errors import NotAnImage

_SOI, _EOI, _SOS = b"\xff\xd8", 0xD9, 0xDA
_APP0, _APP1, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a segment: TEM and restarts."""
_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
_MOST_SEGMENTS = 4096
"""Segments and markers of one image: an image of 5 MB in a hundred scans has some hundred."""
_FILL = re.compile(rb"\xff+")
# Neither a stuffed byte, nor a fill byte, nor one of the markers that stand within compressed data.
_SCAN_END = re.compile(rb"\xff[^\x00\xff\x01\xd0-\xd7]")


def clean_jpeg(data: bytes) -> bytes:
    """The image up to its end: no Exif, XMP, IPTC, profile, comment or thumbnail, and nothing behind it.

    What stays of application data: JFIF's density, Adobe's colour transform, Exif's orientation. Raises NotAnImage.
    """
    kept = [_SOI]
    place, scanned = 2, False
    for _ in range(_MOST_SEGMENTS):
        marker, place = _marker(data, place)
        if marker == _EOI:
            if not scanned:
                raise NotAnImage("a JPEG without a picture")
            return b"".join([*kept, b"\xff\xd9"])
        if marker in _ALONE:
            kept.append(bytes([0xFF, marker]))
            continue
        end = place + int.from_bytes(data[place : place + 2])
        segment = data[place + 2 : end]
        if end < place + 2 or len(data) < end:
            raise NotAnImage("a JPEG that is cut off")
        if (content := _kept(marker, segment)) is not None:
            kept.append(struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content)
        place = end
        if marker == _SOS:
            scanned = True
            end = _scan_end(data, place)
            kept.append(data[place:end])
            place = end
    raise NotAnImage("a JPEG of too many segments")


def _marker(data: bytes, place: int) -> tuple[int, int]:
    """The marker at a place, and where what follows it begins. Any number of 0xFF may precede one."""
    fill = _FILL.match(data, place)
    if fill is None or fill.end() >= len(data) or data[fill.end()] in (0x00, 0xD8):
        raise NotAnImage("a JPEG that is broken or cut off")
    return data[fill.end()], fill.end() + 1


def _scan_end(data: bytes, place: int) -> int:
    """Where compressed data ends: at a marker that is neither a stuffed byte nor a restart."""
    found = _SCAN_END.search(data, place)
    if found is None:
        raise NotAnImage("a JPEG that is cut off")
    return found.start()


def _kept(marker: int, segment: bytes) -> bytes | None:
    """What stays of a segment."""
    if marker == _APP0:
        # Version, unit and density; a thumbnail may follow.
        return segment[:12] + b"\0\0" if segment.startswith(b"JFIF\0") and len(segment) >= 14 else None
    if marker == _APP1:
        orientation = _orientation(segment.removeprefix(_EXIF)) if segment.startswith(_EXIF) else None
        return None if orientation is None else _EXIF + _tiff(orientation)
    if marker == _APP14:
        return segment[:12] if segment.startswith(b"Adobe") and len(segment) >= 12 else None
    if _APP0 < marker <= _APP15 or marker == _COMMENT:
        return None
    return segment


def _orientation(tiff: bytes) -> int | None:
    """The orientation in Exif data (Exif 2.32, 4.6.4), if it is not the usual one."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    try:
        if order is None or struct.unpack_from(f"{order}H", tiff, 2) != (42,):
            return None
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, directory)
        for number in range(count):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, directory + 2 + 12 * number)
            if (tag, kind, values) == (_ORIENTATION, 3, 1):
                return value if 2 <= value <= 8 else None
    except struct.error:
        pass  # broken Exif data: the picture may be good all the same
    return None


def _tiff(orientation: int) -> bytes:
    """Exif data that holds nothing but the orientation."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)
