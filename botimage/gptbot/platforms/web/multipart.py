"""What a form with files posts (RFC 7578), of a body that is in memory as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import HTTP

_MOST_PARTS = 64
_MOST_HEADERS = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """A field of the form."""

    name: str
    filename: str | None
    """What a file is called; None where the field is a text."""
    mime: str
    content: bytes = field(repr=False)


def parse(body: bytes, content_type: str) -> list[Part]:
    """The parts of a body. Raises ValueError when it is none of a form."""
    boundary = _message(f"Content-Type: {content_type}").get_boundary()
    if not boundary:
        raise ValueError("no boundary")
    first, *rest = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1"), _MOST_PARTS + 1)
    if first.strip() or not rest or not rest[-1].startswith(b"--"):
        raise ValueError("cut off, or of too many parts")
    return [_part(data) for data in rest[:-1]]


def _part(data: bytes) -> Part:
    head, found, content = data.partition(b"\r\n\r\n")
    if not found or len(head) > _MOST_HEADERS:
        raise ValueError("a part without headers")
    headers = _message(head.removeprefix(b"\r\n").decode())
    if headers.get_content_disposition() != "form-data":
        raise ValueError("a part that is no field")
    name = headers.get_param("name", "", "content-disposition")
    return Part(str(name), headers.get_filename(), headers.get_content_type(), content)


def _message(headers: str) -> EmailMessage:
    """Headers, read as those of a mail are: they have the same grammar."""
    message = EmailMessage(HTTP)
    for line in headers.split("\r\n"):
        name, _, value = line.partition(":")
        try:
            message[name] = value.strip()
        except Exception as error:  # of many kinds: this parser is for what strangers send, and does not list them
            raise ValueError("headers that cannot be read") from error
    return message
