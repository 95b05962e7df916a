"""Stands before every route of the page. Before any work it asks: by which name, how often, and who it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, cast

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from gptbot.http.clients import PerMinute, client_address
from gptbot.http.hosts import LOOPBACK, misdirected, named, parse_host
from gptbot.platforms.base import GatewayContext
from gptbot.platforms.web.access.answers import RELOAD, Answers
from gptbot.platforms.web.access.gates import make_gate
from gptbot.platforms.web.session import Session, from_own_page, hides_cookies
from gptbot.telemetry.logs import get_logger
from gptbot_api.web import Web

log = get_logger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
Kind = Literal["page", "events", "message"]
"""What a route gives: a page made anew, the events of a session, something posted."""


class Door:
    """The door of one bot's page."""

    def __init__(self, context: GatewayContext, settings: Web, title: str, lifetime: int) -> None:
        """`lifetime`: seconds that a conversation is kept. Raises InvalidManifest when a Secret is not there."""
        self._keys = context.keys
        self._bot = context.bot.key
        self._lifetime = lifetime
        self._hosts = (*settings.hosts, *LOOPBACK) if settings.hosts else ()
        self._proxies = settings.trusted_proxies or 0
        self._answers = Answers(title)
        self._gate, self._sessions = make_gate(context, settings.access, self._answers)
        self._requests = PerMinute(settings.per_address.requests)
        self._messages = PerMinute(settings.per_address.messages)
        self._new = PerMinute(settings.per_address.sessions)
        self._told = False
        if self._gate is not None:
            self._answers.form, self._answers.script = self._gate.form, self._gate.script

    @property
    def closed(self) -> bool:
        """Whether people log in."""
        return self._gate is not None

    @property
    def script(self) -> bool:
        """Whether the page looks for a token in its own address."""
        return self._answers.script

    def routes(self) -> Sequence[Route]:
        """What logging in and out takes."""
        if self._gate is None:
            return []
        logging_in = [
            Route(route.path, self._counted(cast(Handler, route.endpoint)), methods=sorted(route.methods or ()))
            for route in self._gate.routes()
        ]
        return [*logging_in, Route("/logout", self._counted(self._logout), methods=["POST"])]

    def guarded(self, handler: Handler, kind: Kind) -> Handler:
        """A handler that is called only for those who are let in; `session_of` tells it who that is."""

        async def endpoint(request: Request) -> Response:
            if refusal := self._refusal(request, self._messages if kind == "message" else self._requests):
                return refusal
            session = self._sessions.read(request)
            if session is None and self._gate is not None:
                session = await self._gate.bearer(request)
            if session is None:
                made = self._unknown(request, kind)
                if isinstance(made, Response):
                    return made
                session = made
            request.state.session = session
            response = await handler(request)
            left = session.left
            return response if kind != "events" or left is None else _Until(response, left)

        return endpoint

    def keep(self, response: Response, request: Request, session: Session) -> None:
        """Have the browser keep a session."""
        self._sessions.give(response, request, session, self._lifetime)

    def _counted(self, handler: Handler) -> Handler:
        async def endpoint(request: Request) -> Response:
            return self._refusal(request, self._requests) or await handler(request)

        return endpoint

    def _refusal(self, request: Request, counter: PerMinute) -> Response | None:
        """What is said to a request by another name than ours, or to one too many of an address."""
        if self._hosts:
            host = parse_host(request.headers.get("host", ""))
            if host is None or not named(host.name, self._hosts):
                return misdirected()
        if not self._proxies and not self._told and "x-forwarded-for" in request.headers:
            self._told = True
            log.warning(
                "requests come through a proxy, and all count for its address; say how many are in front in"
                " spec.platforms.web.trustedProxies",
                bot=self._bot,
            )
        address = client_address(request, self._proxies)
        request.state.address = self._keys.pseudonym("web", "address", address)
        wait = counter.wait(request.state.address)
        return self._answers.slow(request, wait) if wait > 0 else None

    def _unknown(self, request: Request, kind: Kind) -> Response | Session:
        """What becomes of somebody without a session."""
        if kind == "page" and hides_cookies(request):
            # Came by a link from another site, so the strict cookie is not shown. A reload by the page itself shows it;
            # making a new session here would end the conversation.
            return HTMLResponse(RELOAD.format(""))
        if self._gate is not None:
            return self._answers.login(request, *((200, "") if kind == "page" else (401, "web-error-login")))
        if kind == "events":
            return self._answers.login(request, 401, "web-error-form")
        wait = self._new.wait(request.state.address)
        return self._answers.slow(request, wait) if wait > 0 else self._sessions.begin(request)

    async def _logout(self, request: Request) -> Response:
        if not from_own_page(request):
            return self._answers.login(request, 403, "web-error-origin")
        response = RedirectResponse("./", 303)
        self._sessions.end(response, request)
        return response


class _Until(Response):
    """An answer that ends when the login does under which it was asked for."""

    def __init__(self, response: Response, seconds: float) -> None:
        self._response = response
        self._seconds = seconds
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        started = ended = False

        async def watched(message: Message) -> None:
            nonlocal started, ended
            started = started or message["type"] == "http.response.start"
            ended = ended or (message["type"] == "http.response.body" and not message.get("more_body", False))
            await send(message)

        try:
            async with asyncio.timeout(self._seconds):
                await self._response(scope, receive, watched)
        except TimeoutError:
            if started and not ended:
                await send({"type": "http.response.body", "body": b"", "more_body": False})


def session_of(request: Request) -> Session:
    """Whose request it is that came through the door."""
    return cast(Session, request.state.session)
