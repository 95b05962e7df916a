"""Log in with a password: slow to try, few tries an address and in all, the same time for each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import GatewayContext
from gptbot.platforms.web.access.answers import Answers, FormRefused, small_form
from gptbot.platforms.web.access.scrypt import HASHED, Busy, Hash
from gptbot.platforms.web.session import Session, Sessions, from_own_page
from gptbot_api import Fault, InvalidManifest
from gptbot_api.store_functions import function

_TRIES = function("tries")
OF_ADDRESS = (10, 600.0)
OF_ALL = (200, 600.0)
"""Tries in so many seconds. Whoever is logged in already is not kept out by other people's."""


class PasswordGate:
    """See `gates.Gate`."""

    form = (
        '<form id="login" method="post" action="login"><label for="password">${web-login-password}</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required'
        ' autofocus><button class="quiet">${web-login}</button></form>'
    )
    script = False

    def __init__(
        self, context: GatewayContext, sessions: Sessions, answers: Answers, password: str, where: str, lifetime: int
    ) -> None:
        """`where` is the field that names the password's Secret; a login holds for `lifetime` seconds.

        Raises InvalidManifest when the Secret holds a hash that is none.
        """
        self._store = context.store
        self._keys = context.keys
        self._sessions = sessions
        self._answers = answers
        self._lifetime = lifetime
        try:
            self._hash = Hash.parse(password) if password.startswith(HASHED) else Hash.of(password, context.keys.pepper)
        except ValueError as error:
            raise InvalidManifest([Fault(where, f"the password's hash cannot be used: {error}")]) from None

    async def bearer(self, request: Request) -> Session | None:
        """Nobody."""
        return None

    def routes(self) -> Sequence[Route]:
        """Where the password is posted."""
        return [Route("/login", self._login, methods=["POST"])]

    async def _login(self, request: Request) -> Response:
        answers = self._answers
        if not from_own_page(request):
            return answers.login(request, 403, "web-error-origin")
        try:
            password = (await small_form(request)).get("password", "")
            wait = await self._wait(request.state.address)
            if wait > 0:
                return answers.slow(request, wait, "web-error-tries")
            right = await asyncio.wait_for(self._hash.fits(password), 20.0)
        except FormRefused:
            return answers.login(request, 400, "web-error-form")
        except StoreUnavailable:
            return answers.login(request, 503, "web-error-store-login")
        except (Busy, TimeoutError):
            return answers.slow(request, 5.0, "web-error-tries")
        if not right:
            return answers.login(request, 401, "web-error-password")
        response = RedirectResponse("./", 303)
        session = self._sessions.begin(request, lifetime=self._lifetime)
        self._sessions.give(response, request, session, self._lifetime)
        return response

    async def _wait(self, address: str) -> float:
        """Count a try; seconds until the next one if this is too many."""
        keys = [self._keys.platform("web", f"tries:{address}"), self._keys.platform("web", "tries")]
        limits = [int(number) for most, window in (OF_ADDRESS, OF_ALL) for number in (most, window * 1000)]
        return int(await self._store.run(_TRIES, keys, *limits)) / 1000
