"""The page's HTML: one template, filled with texts of one language and with the session's messages."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from string import Template

from gptbot.files.limits import MOST_FILES
from gptbot.platforms.base import CommandInfo
from gptbot.platforms.web.entries import Entry, lifetime
from gptbot.platforms.web.files import MOST_OF_SESSION
from gptbot.platforms.web.live import LiveMessage
from gptbot.platforms.web.markdown import escape, rendered
from gptbot.platforms.web.texts import Texts
from gptbot_api import GptBotSpec

_DIRECTORY = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
ASSETS = {file.name: (file.read_bytes(), _TYPES[file.suffix]) for file in _DIRECTORY.iterdir() if file.suffix in _TYPES}
"""What the page loads from its own server: name to content and media type."""
VERSION = sha256(b"".join(content for _, (content, _) in sorted(ASSETS.items()))).hexdigest()[:12]
"""Names the assets' content, so that browsers may keep them for ever."""
MAX_CHIPS = 6
_EASY = ("What is the capital of Japan?", "Who wrote Romeo and Juliet?")
"""Questions that the model that comes along answers well (`python -m benchmarks answers`)."""
MOST_SHOWN = 500_000
"""Characters of the messages on a page that is loaded: what stands before them is left out."""
PLAIN = "./?plain"
"""Address of the page for browsers that run no script: it loads itself again while an answer is written."""


class _PageTemplate(Template):
    idpattern = r"[a-z][a-z-]*"


_PAGE = _PageTemplate((_DIRECTORY / "page.html").read_text(encoding="utf-8"))


def new_id() -> str:
    """An id for the next message a form sends, so that sending it twice is sending it once."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one page shows."""

    texts: Texts
    title: str
    spec: GptBotSpec
    conversation: str
    """Tells the server which session the page was made for, without telling it to anybody."""
    commands: Sequence[CommandInfo] = ()
    """What the menu offers."""
    messages: Sequence[str] = ()
    """HTML of the complete messages."""
    live: Sequence[str] = ()
    """HTML of the messages that are still being written."""
    after: str = ""
    """Id of the last entry shown."""
    waiting: bool = False
    """Whether to load the page again soon, as an answer is expected and no script brings it."""
    draft: str = ""
    """What is in the message box."""
    error: str = ""
    closed: bool = False
    """Whether people log in, so that they may log out."""
    script: str = ""
    """HTML of a further script."""
    message_id: str = field(default_factory=new_id)

    def html(self) -> str:
        """The page."""
        texts = self.texts
        values = {name: escape(texts.text(name)) for name in _fixed(texts)}
        kept = texts.duration(lifetime(self.spec))
        privacy = "web-privacy" if self.spec.privacy.redact else "web-privacy-plain"
        return _PAGE.substitute(
            values,
            version=VERSION,
            title=escape(self.title),
            conversation=escape(self.conversation),
            messages="".join(self.messages),
            live="".join(self.live),
            after=self.after,
            draft=escape(self.draft),
            error=escape(self.error),
            refresh=f'<meta http-equiv="refresh" content="3;url={PLAIN}">' if self.waiting else "",
            logout="" if self.closed else "hidden",
            script=self.script,
            welcome="hidden" if self.messages or self.live else "",
            small="" if self.spec.llm.built_in else "hidden",
            chips=self._chips(),
            menu=self._menu(),
            offers="" if self.commands else "hidden",
            privacy=escape(texts.text(privacy, time=kept)),
            most=str(MOST_FILES),
            size=str(MOST_OF_SESSION),
            many=escape(texts.text("web-error-files-many", limit=MOST_FILES)),
            large=escape(texts.text("web-error-files-size", limit=MOST_OF_SESSION // 1_000_000)),
            typing=escape(texts.text("web-typing", bot=self.title)),
            **{"message-id": escape(self.message_id)},
        )

    def _chips(self) -> str:
        chips = [(text, self.texts.text("web-chip-small", question=text)) for text in self._questions()]
        chips += [("!help", self.texts.text("web-chip-help")), ("!about", self.texts.text("web-chip-about"))]
        if len(self.spec.personas) > 1:
            chips += [(f"!persona {persona.name}", persona.title or persona.name) for persona in self.spec.personas]
        return "".join(
            f'<button name="text" value="{escape(command)}" title="{escape(command)}">{escape(label)}</button>'
            for command, label in chips[:MAX_CHIPS]
        )

    def _questions(self) -> Sequence[str]:
        """What to ask the model that comes along: it speaks English alone."""
        return _EASY if self.spec.llm.built_in else ()

    def _menu(self) -> str:
        """Each command as a button of a form: it works by keyboard, and without a script."""
        language = self.texts.language
        offered = [
            (info.name, info.descriptions.get(language) or info.descriptions["en"])
            for info in self.commands
            if "private" in info.where
        ]
        return "".join(
            f'<li><button name="text" value="!{escape(name)}"><b>!{escape(name)}</b> '
            f"<span>{escape(text)}</span></button></li>"
            for name, text in offered
        )


def _fixed(texts: Texts) -> list[str]:
    """Names of the texts that the template uses as they are."""
    return [name for name in texts.names if name in _PAGE.template]


def recent(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The last messages, as many as a page shows: one at least."""
    left = MOST_SHOWN
    for number in range(len(entries) - 1, -1, -1):
        left -= len(entries[number].text)
        if left < 0:
            return entries[min(number + 1, len(entries) - 1) :]
    return entries


def message_html(entry: Entry, texts: Texts, title: str) -> str:
    """A complete message. The bot's is Markdown; the user's is shown letter by letter."""
    if entry.kind == "bot":
        return _article(entry, texts, title, rendered(entry.text))
    said = f"<p>{escape(entry.text)}</p>" if entry.text else ""
    return _article(entry, texts, title, said + _files(entry, texts))


def _files(entry: Entry, texts: Texts) -> str:
    """What kinds of files came along: their names are kept nowhere."""
    items = "".join(f"<li>{escape(texts.text(f'web-file-{kind}'))}</li>" for kind in entry.files)
    return f'<ul class="files">{items}</ul>' if items else ""


def live_html(entry: Entry, texts: Texts, title: str) -> str:
    """A message that is still being written, as far as it is."""
    message = LiveMessage()
    message.update(entry.text)
    return _article(entry, texts, title, "".join(_block(html) for html in [*message.blocks, message.tail]))


def live_shell(entry: Entry, texts: Texts, title: str) -> str:
    """The frame that the blocks of a live message go into."""
    return _article(entry, texts, title, "")


def _block(html: str) -> str:
    return f'<div class="block">{html}</div>'


def _actions(entry: Entry) -> str:
    """The buttons of a message: a form, so that they work without a script too."""
    if not entry.buttons:
        return ""
    buttons = "".join(
        f'<button class="quiet" name="text" value="!{escape(button.command)}">{escape(button.label)}</button>'
        for button in entry.buttons
    )
    hidden = {"id": new_id(), "press": "1", "below": entry.message}
    fields = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items())
    return f'<form class="actions" method="post" action="message">{fields}{buttons}</form>'


def _article(entry: Entry, texts: Texts, title: str, body: str) -> str:
    who = texts.text("web-you") if entry.kind == "user" else title
    return (
        f'<article class="message {entry.kind}" data-id="{escape(entry.message)}">'
        f'<p class="who">{escape(who)}</p><div class="body" dir="auto">{body}</div>{_actions(entry)}</article>'
    )
