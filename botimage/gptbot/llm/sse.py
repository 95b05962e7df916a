"""Server-sent events out of raw bytes, as the HTML standard defines them (section 9.2.6), many at a time."""

from __future__ import annotations

from codecs import BOM_UTF8


class EventTooLong(ValueError):
    """One event is longer than the limit: not what a model sends."""


class EventDecoder:
    """Cuts a byte stream into the data of events. Reads may end anywhere, in the middle of a character too.

    An event whose data is empty is none: servers send such to keep a connection open. Besides `data` only the field
    `error` is looked at, which llama.cpp has for errors in mid-stream; its value is taken as data. Ids,
    event types and comments are passed over.
    """

    __slots__ = ("_counted", "_data", "_held", "_limit", "_line", "_open", "_pending_cr", "_start")

    def __init__(self, limit: int = 1024 * 1024) -> None:
        """`limit`: bytes an event may have, ends of lines among them. A chunk of an answer has some hundred."""
        self._line: list[bytes] = []
        """The line that has not ended yet, read by read."""
        self._open = 0
        """Its bytes."""
        self._data: list[bytes] = []
        """The lines of the event that has not ended yet."""
        self._held = self._counted = 0
        """Their bytes, and how many of them are counted."""
        self._pending_cr = False
        self._start = True
        self._limit = limit

    def feed(self, read: bytes) -> list[bytes]:
        """The data of the events that are complete with this read. Raises EventTooLong."""
        if self._start:  # a byte order mark may come first
            read = b"".join(self._line) + read
            self._start = len(read) < len(BOM_UTF8) and BOM_UTF8.startswith(read)
            self._line = [read] if self._start else []
            if self._start:
                return []
            read = read.removeprefix(BOM_UTF8)
        if self._pending_cr:  # the last read ended with CR: a LF now belongs to it
            self._pending_cr = False
            if read[:1] == b"\n":
                read = read[1:]
        if b"\r" in read:  # hardly ever: lines mostly end with LF alone
            self._pending_cr = read.endswith(b"\r")
            read = read.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = read.split(b"\n")
        if len(lines) == 1:
            self._line.append(read)
            self._open += len(read)
            self._check()
            return []
        if self._line:
            self._line.append(lines[0])
            lines[0] = b"".join(self._line)
        rest = lines.pop()
        self._line, self._open = [rest], len(rest)
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if not line:
                if data:
                    event = data[0] if len(data) == 1 else b"\n".join(data)
                    if event.strip():
                        events.append(event)
                    data.clear()
            elif line.startswith(b"data:"):
                data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif line.startswith(b"error:"):
                data.append(line[6:])
        if events or not data:
            self._held = self._counted = 0
        # Each line costs a byte more than it has, so that lines of nothing are no way round the limit.
        self._held += sum(map(len, data[self._counted :])) + len(data) - self._counted
        self._counted = len(data)
        self._check()
        return events

    def _check(self) -> None:
        if self._held + self._open > self._limit:
            raise EventTooLong

    def end(self) -> list[bytes]:
        """What is left at the end. The standard drops it, but there are servers that forget the last empty line."""
        left = self.feed(b"\n\n")
        self._line, self._open = [], 0
        return left
