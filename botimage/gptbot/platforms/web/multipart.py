"""What a form with files posts (RFC 7578), read as its bytes arrive, in linear time and within bounds.

The grammar of the body is python-multipart's. Parameters of headers are read here: that library leaves out `filename*`.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

# This library's warnings tell of bytes that people posted.
logging.getLogger("python_multipart").setLevel(logging.ERROR)

MOST_CONTENT_TYPE = 256
"""Characters of the request's Content-Type."""
MOST_PARTS = 64
MOST_HEADERS = 4096
"""Bytes of all headers of a part together."""
_MOST_LINES = 16
"""Headers of a part."""
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
"""RFC 2046, section 5.1.1."""
_PARAMETER = re.compile(
    r';[ \t]*+(?:([^\s;="]{1,64}+)[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"?|([^;]*+)))?+[^;]*+', re.DOTALL
)
"""One parameter with what belongs to none, up to the next: each match begins where the one before it ended."""
_ESCAPED = re.compile(r'\\(["\\])')
_EXTENDED = re.compile(r"([0-9A-Za-z-]{1,20})'[0-9A-Za-z-]{0,20}'(.*)", re.DOTALL)
"""RFC 8187: character set, language, value."""
_CHARSETS = frozenset({"utf-8", "iso-8859-1"})


@dataclass(frozen=True, slots=True)
class Part:
    """A field of the form."""

    name: str
    filename: str | None
    """What a file is called; None where the field is a text."""
    mime: str
    content: bytes = field(repr=False)


@dataclass(slots=True)
class _Open:
    """A part that is being read."""

    line: bytearray = field(default_factory=bytearray)
    """Name of the header that is being read."""
    value: bytearray = field(default_factory=bytearray)
    headers: dict[str, str] = field(default_factory=dict[str, str])
    size: int = 0
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    """Of Content-Disposition."""
    content: bytearray = field(default_factory=bytearray)


class MultipartReader:
    """Reads the parts of one body. All methods raise ValueError when it is none of a form, or beyond the bounds."""

    def __init__(self, content_type: str) -> None:
        """`content_type`: the request's header."""
        self._parts: list[Part] = []
        self._open = _Open()
        self._begun = self._ended = False
        self._parser = MultipartParser(
            boundary_of(content_type),
            {
                "on_part_begin": self._part_begin, "on_header_field": self._header_name,
                "on_header_value": self._header_value, "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end, "on_part_data": self._data,
                "on_part_end": self._part_end, "on_end": self._end,
            },
            max_header_count=_MOST_LINES, max_header_size=MOST_HEADERS,
        )  # fmt: skip

    def feed(self, data: bytes) -> None:
        """Read on. However the body is cut, the same comes out."""
        if not self._begun:
            # The parser would skip anything after an empty line, or not, as the cuts have it.
            data = data.lstrip(b"\r\n")
            self._begun = bool(data)
        if data and not self._ended:  # what follows the end is nobody's
            try:
                self._parser.write(data)
            except FormParserError as error:
                raise ValueError("not the body of a form") from error

    def close(self) -> list[Part]:
        """The parts, once all bytes were read."""
        if not self._ended:
            raise ValueError("a form that is cut off")
        return self._parts

    def _part_begin(self) -> None:
        if len(self._parts) >= MOST_PARTS:
            raise ValueError("too many parts")
        self._open = _Open()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._open.line += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._open.value += data[start:end]

    def _count(self, size: int) -> None:
        self._open.size += size
        if self._open.size > MOST_HEADERS:
            raise ValueError("a part whose headers are too large")

    def _header_end(self) -> None:
        part = self._open
        name, value = part.line.decode("ascii").lower(), part.value.decode()
        if "\n" in value or "\0" in value:
            raise ValueError("a header of several lines")
        part.headers.setdefault(name, value)
        part.line, part.value = bytearray(), bytearray()

    def _headers_end(self) -> None:
        kind, self._open.parameters = options(self._open.headers.get("content-disposition", ""))
        if kind != "form-data":
            raise ValueError("a part that is no field")

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._open.content += memoryview(data)[start:end]

    def _part_end(self) -> None:
        part, parameters = self._open, self._open.parameters
        kind, _ = options(part.headers.get("content-type", ""))
        mime = kind if kind.count("/") == 1 else "text/plain"
        self._parts.append(Part(parameters.get("name", ""), _filename(parameters), mime, bytes(part.content)))
        self._open = _Open()

    def _end(self) -> None:
        self._ended = True


def boundary_of(content_type: str) -> str:
    """What stands between the parts of a body. Raises ValueError."""
    if len(content_type) > MOST_CONTENT_TYPE:
        raise ValueError("a Content-Type that is too long")
    boundary = options(content_type)[1].get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError("no boundary")
    return boundary


def options(header: str) -> tuple[str, dict[str, str]]:
    """The value of a header and its parameters (RFC 9110, section 5.6.6), in small letters; the first of a name counts.

    What is no parameter is passed over, as browsers do not agree on how a name with `"` or `\\` in it is written.
    """
    value, semicolon, _ = header.partition(";")
    found: dict[str, str] = {}
    if semicolon:
        for match in _PARAMETER.finditer(header, len(value)):
            name, quoted, plain = match.groups()
            if name:
                found.setdefault(name.lower(), plain.strip(" \t") if quoted is None else _ESCAPED.sub(r"\1", quoted))
    return value.strip(" \t").lower(), found


def _filename(parameters: dict[str, str]) -> str | None:
    """`filename*` where it can be read (RFC 6266), else `filename`; None where the part is no file."""
    if extended := _EXTENDED.fullmatch(parameters.get("filename*", "")):
        charset, encoded = extended.groups()
        if charset.lower() in _CHARSETS:
            return unquote_to_bytes(encoded).decode(charset, "replace")
    return parameters.get("filename")
