"""Every function that reads what strangers wrote, with the largest text that is given to it.

A pattern that is compiled in one of the modules here must be known to a reader of that module: the generator takes what
to repeat from it. `test_growth.py` looks for modules that compile patterns and are not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from tests.hostile import inputs
from tests.hostile.fragments import fragments, patterns
from tests.hostile.growth import MOST_GROWTH, Call
from tests.hostile.inputs import Hostile

MESSAGE = 16_000
"""Characters of a message: `safety.normalize.MOST_CHARACTERS`, and the web page's form."""
ANSWER = 32_000
"""Characters of a model's answer, as much as its context window of 8,192 tokens leaves it."""
DISCORD = 4_000
"""Characters of a message of Discord, with the most expensive of its subscriptions."""
TELEGRAM = 4_096
"""Code units of a message of Telegram."""
EVENTS = 128 * 1024
"""Bytes of a model's stream that are read at once."""

HEAD = 64_000
"""Characters of a header, as much as the server lets in."""
PARTS, PART_HEAD = 60, 4_000
"""Parts of a form, and characters of the headers of each."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A function under attack."""

    name: str
    call: Call
    largest: int
    """Characters."""
    modules: Sequence[str]
    """Where its patterns are."""
    fragments: Sequence[str] = field(default=inputs.TEXTS)
    """What else it looks for, such as the marks of a grammar that a library parses."""
    shared: Sequence[re.Pattern[Any]] = ()
    """Patterns of what several functions begin with: each is tried by one of them."""

    growth: float = MOST_GROWTH
    """How many times as much four times the length may cost. More only where a library is at fault and the largest
    size keeps it within the 50 ms."""
    more: Sequence[Hostile] = ()
    """Inputs that no repeating makes."""

    def hostile(self, pairs: int | None) -> Iterator[Hostile]:
        """What to try on it; `pairs` of fragments, all if None."""
        yield from self.more
        yield from inputs.hostile(self.groups(), pairs)

    def groups(self) -> list[list[str]]:
        """What to make hostile texts of: the pieces of each pattern apart, and those of the grammar."""
        own = [pattern for name in self.modules for pattern in patterns(_module(name))]
        return [*(fragments(pattern) for pattern in (*own, *self.shared)), list(self.fragments)]


@cache
def _module(name: str) -> ModuleType:
    return import_module(f"gptbot.{name}")


def _of(module: str, function: str) -> Any:
    return getattr(_module(module), function)


def _redaction() -> list[Reader]:
    from gptbot.safety.redaction import Redactor

    kinds = {
        "secret": "secrets", "email": "emails", "iban": "identifiers", "card": "identifiers", "ip": "identifiers",
        "passport": "documents", "taxid": "documents", "phone": "phones",
    }  # fmt: skip

    def redact(kind: str) -> Call:
        redactor = Redactor([kind])
        # What holds nothing that could be a value comes back at once: it must not hide what a search costs.
        return lambda text: redactor.redact(f"@1 {text}")

    begin = ("shadow", "joined", "subjects", "redaction", "broken")
    shared = [pattern for name in begin for pattern in patterns(_module(f"safety.{name}"))]
    return [
        Reader(f"redact {kind}", redact(kind), MESSAGE, [f"safety.{module}"], shared=shared[place :: len(kinds)])
        for place, (kind, module) in enumerate(kinds.items())
    ]


def _rendering() -> list[Reader]:
    from gptbot.platforms.markdown import Unrenderable

    telegram, web, discord = "platforms.telegram.rendering", "platforms.web.markdown", "platforms.discord.rendering"
    shared = ["platforms.flanking", "platforms.formulas", "platforms.tables"]
    delivery = ["delivery.split", "delivery.blocks"]
    split = _of("delivery.split", "split")

    def rich(text: str) -> object:
        with suppress(Unrenderable):  # it is sent as it is then
            return _of(telegram, "rich")(text)
        return None

    def live(text: str) -> None:
        _of("platforms.web.live", "LiveMessage")().update(text)

    return [
        # telegramify-markdown counts the new lines of the text so far at each formula.
        replace(_markdown("telegram render", _of(telegram, "render"), TELEGRAM, [telegram]), growth=20.0),
        _markdown("telegram rich", rich, ANSWER, [telegram]),
        _markdown("web render", _of(web, "render"), ANSWER, [web, *shared]),
        _markdown("web completed", _of(web, "completed"), ANSWER, [web, "platforms.formulas"]),
        _markdown("web split_last_block", _of(web, "split_last_block"), ANSWER, [web]),
        _markdown("web live message", live, ANSWER, [web]),
        _markdown("discord render", _of(discord, "render"), DISCORD, [discord]),
        _markdown("split", lambda text: split(text, 2000), ANSWER, delivery),
        _markdown("close_fence", _of("delivery.split", "close_fence"), ANSWER, delivery),
    ]


def _markdown(name: str, call: Call, largest: int, modules: Sequence[str]) -> Reader:
    return Reader(name, call, largest, modules, inputs.MARKDOWN, more=inputs.tables())


def _messages() -> list[Reader]:
    from aiogram.types import MessageEntity, User

    from gptbot.conversation import commands
    from gptbot.conversation.arguments import duration, period
    from gptbot.conversation.spoken import MOST_CHARACTERS, MOST_CHARACTERS_OF_END, spoken_end, spoken_role
    from gptbot.inbox.invocations import command_like
    from gptbot.platforms.discord.history import spoken
    from gptbot.platforms.discord.spoken import to_bot
    from gptbot.platforms.telegram import spoken as telegram
    from gptbot.platforms.web.texts import choose

    def telegram_to_bot(text: str) -> object:
        marks = [
            MessageEntity(type="mention", offset=found.start(), length=4) for found in re.finditer("@bot|@ann", text)
        ]
        return telegram.to_bot(text, marks, User(id=1, is_bot=True, first_name="bot", username="bot"), direct=False)

    def telegram_marked(text: str) -> object:
        """As above, with code and links wherever there is a word."""
        kinds = ("code", "pre", "text_link")
        marks = [
            MessageEntity(
                type=kinds[number % 3], offset=found.start(), length=found.end() - found.start(), language=text[:50],
                url=f"https://e.org/{text[:50]}",
            )
            for number, found in enumerate(re.finditer(r"\S{1,40}", text))
        ]  # fmt: skip
        return telegram.to_bot(text, marks, User(id=1, is_bot=True, first_name="bot", username="bot"), direct=False)

    def discord_to_bot(text: str) -> object:
        return to_bot(text, "1", "bot", ["2"])

    mentions = ("<@1>", "<@!1>", "<@&2>", "<#3>", " ", ",", ":", "\n", "<@", "hello", "<", ">")
    ticks = ("`", "``", " ", "x", "\n")
    at_names = ("@bot", "@ann", " ", ",", "x", "\n")
    words = ("since", "ago", "last", " ", "2h", "14:30", "today", "+", "1", "h", "days", "x")
    return [
        Reader("marks", _of("conversation.marks", "without_marks"), ANSWER, ["conversation.marks"]),
        Reader("normalize", _of("safety.normalize", "normalize"), MESSAGE, ["safety.normalize"]),
        Reader("spoken_role", spoken_role, MOST_CHARACTERS, ["conversation.spoken"]),
        Reader("spoken_end", spoken_end, MOST_CHARACTERS_OF_END, ["conversation.spoken"]),
        Reader("command_like", command_like, MESSAGE, ["inbox.invocations"], ("!", "/", "@", " ", "a", "é", "\n")),
        Reader("nearest command", commands.nearest, MESSAGE, [], ("a", "help", "persona", "-", "я")),
        Reader("period", period, MESSAGE, ["conversation.arguments"], words),
        Reader("duration", duration, MESSAGE, ["conversation.arguments"], words),
        Reader("telegram to_bot", telegram_to_bot, TELEGRAM, [], at_names),
        Reader("telegram marked", telegram_marked, TELEGRAM, ["platforms.telegram.marking"], ticks),
        Reader("discord to_bot", discord_to_bot, DISCORD, ["platforms.discord.spoken"], mentions),
        Reader("discord history", lambda text: spoken(text, "1"), DISCORD, ["platforms.discord.history"], mentions),
        Reader("accept-language", choose, MESSAGE, [], ("ru", ";q=", "0.5", ",", "-", "*", " ", "é", "1")),
    ]  # fmt: skip


def _model() -> list[Reader]:
    from gptbot.llm.loops import Loops, without_repeats
    from gptbot.llm.sse import EventDecoder
    from gptbot.llm.thoughts import Thoughts, without_unopened

    def events(text: str) -> object:
        """One event that does not end, as a server sends it: in many reads."""
        decoder, data = EventDecoder(), text.encode("latin-1", "replace")
        with suppress(ValueError):
            for start in range(0, len(data), 1024):
                decoder.feed(data[start : start + 1024])
        return decoder.end

    def thoughts(text: str) -> object:
        """An answer in one piece, and in small ones."""
        said = list[str]()
        for begun, size in ((False, len(text) + 1), (True, len(text) + 1), (False, 50), (True, 50)):
            filter_ = Thoughts(begun=begun)
            said += [filter_.feed(text[place : place + size]) for place in range(0, len(text), size)]
            said.append(filter_.end(cut=False))
        return said

    def loops(text: str) -> object:
        """An answer in one piece, and in small ones; what it repeats is left out."""
        said = list[str]()
        for size in (len(text) + 1, 50):
            found = Loops()
            periods = [found.feed(text[place : place + size]) for place in range(0, len(text), size)]
            said += [without_repeats(text, period or 7) for period in {0, *periods}]
        return said

    return [
        Reader("loops in an answer", loops, ANSWER, ["llm.loops"], inputs.LOOPS),
        Reader("events of a model", events, EVENTS, [], inputs.EVENTS),
        Reader("thoughts in an answer", thoughts, ANSWER, ["llm.thoughts"], inputs.THOUGHTS),
        Reader("unopened thoughts", without_unopened, ANSWER, ["llm.thoughts"], inputs.THOUGHTS),
    ]


def _http() -> list[Reader]:
    from starlette.requests import Request

    from gptbot.http.hosts import parse_host, same_origin
    from gptbot.platforms.web.multipart import MultipartReader
    from gptbot.platforms.web.session import cookie

    def form(text: str) -> object:
        with suppress(ValueError):
            return MultipartReader(f"multipart/form-data; {text}")
        return None

    def parts(text: str) -> object:
        head = text.encode("latin-1", "replace").replace(b"\r\n\r\n", b"")
        reader = MultipartReader("multipart/form-data; boundary=B")
        with suppress(ValueError):
            for _ in range(PARTS):
                reader.feed(b"--B\r\nContent-Disposition: form-data; " + head + b"\r\n\r\nx\r\n")
        return reader

    def cookies(text: str) -> object:
        head = [(b"cookie", text.encode("latin-1", "replace"))]
        return cookie(Request({"type": "http", "headers": head}), "gptbot.session")

    return [
        Reader("multipart type", form, HEAD, ["platforms.web.multipart"], inputs.HTTP),
        Reader("multipart parts", parts, PART_HEAD, ["platforms.web.multipart"], inputs.HTTP),
        Reader("cookies", cookies, HEAD, ["platforms.web.session"], inputs.HTTP),
        Reader("host", parse_host, HEAD, ["http.hosts"], inputs.HTTP),
        Reader("origin", lambda text: same_origin(text, "a"), HEAD, ["http.hosts"], (*inputs.HTTP, "//", "[::1", "@")),
    ]


def readers() -> list[Reader]:
    """All of them."""
    return [*_redaction(), *_messages(), *_rendering(), *_model(), *_http()]
