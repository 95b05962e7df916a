"""The receiving half: the page, its events, and what it posts. Every replica serves every session."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gptbot import locales
from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import GatewayContext
from gptbot.platforms.inbound import Address, Attachment, Inbound, Verdict
from gptbot.platforms.web import page
from gptbot.platforms.web.access.answers import SCRIPT
from gptbot.platforms.web.access.door import Door, session_of
from gptbot.platforms.web.attached import Cleaner, attached
from gptbot.platforms.web.entries import Entry, add, latest, leave, lifetime, stream_key
from gptbot.platforms.web.events import EventStream
from gptbot.platforms.web.files import Files, Full
from gptbot.platforms.web.form import Form, Refusal, posted_form, refusal_of, uploads
from gptbot.platforms.web.hub import Hub
from gptbot.platforms.web.session import from_own_page
from gptbot.platforms.web.texts import Texts, choose, languages, preferred
from gptbot.safety.normalize import normalize
from gptbot.safety.redaction import Redactor
from gptbot_api.platforms import Web

# This library logs every chunk it sends when it may: those are people's messages.
logging.getLogger("sse_starlette").setLevel(logging.INFO)

_RECENT = 120.0
"""Seconds for which an answer is expected, and for which an unfinished message is still being written."""
_ENTRY_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")
PRINCIPAL = "page:public"
"""Who the page's users are to access lists: all the same, whoever logs in."""


class WebGateway:
    """See `platforms.base.PlatformGateway`."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._bot = context.bot.bot
        settings = context.settings
        assert isinstance(settings, Web)
        self._title = settings.title or self._bot.metadata.name
        self._lifetime = lifetime(self._bot.spec)
        self._door = Door(context, settings, self._title, self._lifetime)
        self._redactor = Redactor(self._bot.spec.privacy.redact)
        self._cleaner = Cleaner(self._redactor)
        self._files = Files(context.store, context.keys)
        self._hub = Hub(context.store, context.keys)
        self._events = EventStream(self._hub, self._title)
        languages()  # parsed before anybody asks for the page
        locales.prepare()

    async def run(self) -> None:
        """Read the sessions that are open, until cancelled; then end their pages' events."""
        self._context.report(connected=True)
        await self._hub.run()

    def routes(self) -> Sequence[BaseRoute]:
        """The page and what it asks for, by addresses relative to its own."""
        guarded = self._door.guarded
        return [
            Route("/", guarded(self._page, "page"), methods=["GET"]),
            Route("/message", guarded(self._message, "message"), methods=["POST"]),
            Route("/new", guarded(self._new, "message"), methods=["POST"]),
            Route("/events", guarded(self._stream, "events"), methods=["GET"]),
            *self._door.routes(),
            Route("/static/{name}", _asset, methods=["GET"]),
        ]

    async def _page(self, request: Request) -> Response:
        return await self._render(request, session_of(request).id)

    async def _stream(self, request: Request) -> Response:
        texts, session = choose_texts(request), session_of(request).id
        if not self._hub.running:
            return _json(503, {"error": texts.text("web-error-load")}, retry=True)
        name = self._pseudonym(session)
        if self._hub.crowded(name):
            return _json(429, {"error": texts.text("web-error-pages")}, retry=True)
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        if not _ENTRY_ID.fullmatch(after):
            after = "0-0"
        return self._events.response(name, after, texts)

    async def _message(self, request: Request) -> Response:
        session = session_of(request).id
        texts, plain = choose_texts(request), "application/json" not in request.headers.get("accept", "")
        text = ""
        try:
            if not from_own_page(request):
                raise Refusal(403, "web-error-origin")
            if uploads(request) and (barred := self._barred(request, session)):
                raise barred
            async with posted_form(request) as form:
                text = form.text
                if form.conversation and form.conversation != self._tag(session):
                    raise Refusal(409, "web-error-conversation")
                if not text and not form.files:
                    raise Refusal(400, "web-error-empty")
                entry, accepted = await self._take(session, form, request)
        except StoreUnavailable:
            refusal = Refusal(503, "web-error-store")
        except Refusal as reason:
            refusal = reason
        else:
            response = self._taken(entry, texts, accepted=accepted, plain=plain)
            self._door.keep(response, request, session_of(request))
            return response
        if plain and refusal.status != 403:
            return await self._render(request, session, refusal, refusal.draft or text)
        return _json(refusal.status, {"error": refusal.text(texts)}, retry=refusal.status == 503)

    async def _take(self, session: str, form: Form, request: Request) -> tuple[Entry | None, bool]:
        """Hand the message in, and show it on the session's pages, redacted, unless a button sent it.

        A refusal is told in the response, and nothing is stored for it. Raises Refusal.
        """
        name = self._pseudonym(session)
        entry: Entry | None = None
        refused: Verdict | None = None
        files, event = attached(form.files, form.id), f"{name}:{form.id}"

        async def hears(verdict: Verdict) -> Address | None:
            nonlocal entry, refused
            if verdict.refusal is not None:
                refused = verdict
                return None
            if entry is None and not form.press:
                if files and verdict.files and not await self._seen(event):
                    await self._keep(name, form, files)  # only now: what is refused costs no cleaning
                entry = await self._show(name, form, files)
            return {"session": name}

        language = next(iter(preferred(request.headers.get("accept-language", ""))), None)
        accepted = await self._context.intake.accept(
            Inbound(
                event=event,
                conversation=session,
                user=session_of(request).user,
                text=form.text,
                direct=True,
                addressed=True,
                address={"session": name},
                language=language,
                principals=(PRINCIPAL,),
                attachments=files,
                pressed=form.below,
            ),
            hears,
        )
        if refused is not None:
            raise refusal_of(refused, form.text)
        if entry is None and not form.press:  # not for the bot, as `answerIn` has it
            entry = await self._show(name, form, files)
        return entry, accepted

    def _barred(self, request: Request, session: str) -> Refusal | None:
        """What is against everything that this session sends, known by the head of the request alone."""
        verdict = self._context.intake.barred(session, session_of(request).user, (PRINCIPAL,))
        return None if verdict is None else refusal_of(verdict, "")

    async def _keep(self, name: str, form: Form, files: Sequence[Attachment]) -> None:
        try:
            if contents := await self._cleaner.contents(files, form.files, self._bot.spec.llm):
                await self._files.keep(name, contents)
        except (Full, TimeoutError):
            raise Refusal(503, "web-error-files-full") from None

    async def _seen(self, event: str) -> bool:
        """Whether a message was taken before: limits do not count it again, so nothing is done for it again."""
        keys = self._context.keys
        return bool(await self._context.store.command("EXISTS", keys.seen(keys.pseudonym("web", "event", event))))

    async def _show(self, name: str, form: Form, files: Sequence[Attachment]) -> Entry:
        key, message, store = stream_key(self._context.keys, name), f"u-{form.id}", self._context.store
        shown = await self._redactor.redact_any(normalize(form.text))
        kinds = tuple(file.kind for file in files)
        entry_id, _ = await asyncio.gather(
            store.command(*add(key, "user", message, shown, files=kinds)), store.command("EXPIRE", key, self._lifetime)
        )
        return Entry(entry_id.decode(), "user", message, shown, files=kinds)

    def _taken(self, entry: Entry | None, texts: Texts, *, accepted: bool, plain: bool) -> Response:
        if plain:
            return RedirectResponse(f"{page.PLAIN}#message", 303)
        if entry is None:
            return _json(200, {"accepted": accepted})
        html = page.message_html(entry, texts, self._title)
        return _json(200, {"accepted": accepted, "id": entry.message, "html": html, "next": page.new_id()})

    async def _new(self, request: Request) -> Response:
        """Leave the conversation: delete what is shown of it, and tell its other pages."""
        if not from_own_page(request):
            return _json(403, {"error": choose_texts(request).text("web-error-origin")})
        session, store = session_of(request), self._context.store
        name = self._pseudonym(session.id)
        key = stream_key(self._context.keys, name)
        try:
            await asyncio.gather(
                self._context.intake.forget(session.id),
                self._files.drop(name),
                *(store.command(*parts) for parts in leave(key)),
            )
        except StoreUnavailable:
            # The new conversation starts all the same; the old one, which nobody can open now, runs out.
            logging.getLogger(__name__).warning("the store is away: a conversation that was left is kept for now")
        response = RedirectResponse("./#message", 303)
        self._door.keep(response, request, session.afresh())
        return response

    async def _render(
        self, request: Request, session: str, refusal: Refusal | None = None, draft: str = ""
    ) -> Response:
        texts = choose_texts(request)
        status, error = (refusal.status, refusal.text(texts)) if refusal else (200, "")
        entries: list[Entry] = []
        try:
            entries = await self._hub.history(self._pseudonym(session))
        except StoreUnavailable:
            status, error = 503, error or texts.text("web-error-load")
        shown, messages, live = page.recent(latest(entries)), list[str](), list[str]()
        for entry in shown:
            if entry.final or not _recent(entry):
                messages.append(page.message_html(entry, texts, self._title))
            else:
                live.append(page.live_html(entry, texts, self._title))
            await asyncio.sleep(0)  # a long history must not keep other pages waiting
        asked = bool(shown) and shown[-1].kind == "user" and _recent(shown[-1])
        waiting = "plain" in request.query_params and (asked or bool(live))
        view = page.View(
            texts=texts, title=self._title, spec=self._bot.spec, commands=self._context.commands,
            conversation=self._tag(session), messages=messages, live=live,
            after=entries[-1].id if entries else "0-0", waiting=waiting, draft=draft, error=error,
            closed=self._door.closed, script=SCRIPT if self._door.script else "",
        )  # fmt: skip
        response = HTMLResponse(view.html(), status, headers={"Retry-After": "5"} if status == 503 else None)
        self._door.keep(response, request, session_of(request))
        return response

    def _pseudonym(self, session: str) -> str:
        """The session in the store, named as its conversation is: the id itself would open it, so nothing has it."""
        return self._context.keys.pseudonym("web", "conversation", session)

    def _tag(self, session: str) -> str:
        return self._context.keys.pseudonym("web", "page", session)


def choose_texts(request: Request) -> Texts:
    """The texts in the reader's language."""
    return choose(request.headers.get("accept-language", ""))


def _recent(entry: Entry) -> bool:
    return time.time() - entry.milliseconds / 1000 < _RECENT


def _json(status: int, data: dict[str, object], *, retry: bool = False) -> Response:
    headers = {"Retry-After": "5"} if retry else None
    return Response(orjson.dumps(data), status, headers=headers, media_type="application/json")


async def _asset(request: Request) -> Response:
    if (asset := page.ASSETS.get(request.path_params["name"])) is None:
        return Response(status_code=404)
    content, media_type = asset
    return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=31536000, immutable"})
