"""Log in by OpenID Connect: authorization code flow with PKCE (RFC 7636), state and nonce."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import GatewayContext
from gptbot.platforms.web.access.answers import TO_PAGE, Answers
from gptbot.platforms.web.access.fetch import Unreachable
from gptbot.platforms.web.access.provider import Provider, lets_in
from gptbot.platforms.web.access.tokens import BadToken
from gptbot.platforms.web.session import Session, Sessions, Signer, cookie, cookie_name, give_cookie, is_https, new_id
from gptbot.telemetry.logs import get_logger
from gptbot_api.web import OpenIdConnect

log = get_logger(__name__)

_SECONDS = 600
"""For a login to come back from the issuer."""
_LONGEST = 2048
_STARTED = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9]{1,11})\.([A-Za-z0-9_-]{43})")
_PREFIX = re.compile(r"/[A-Za-z0-9/_.~-]{0,200}")


class OidcGate:
    """See `gates.Gate`.

    A login under way is known to the browser that began it alone: a signed cookie holds its `state`. The `nonce` and
    PKCE's verifier are made of that with our key, so that they are kept nowhere.
    """

    form = '<p><a class="quiet" href="login">${web-login}</a></p>'
    script = False

    def __init__(
        self, context: GatewayContext, sessions: Sessions, answers: Answers, settings: OpenIdConnect, lifetime: int
    ) -> None:
        """Raises InvalidManifest when the client's secret is not there."""
        where = "spec.platforms.web.access.oidc.clientSecretRef"
        secret = context.bot.secret(settings.client_secret_ref, where) if settings.client_secret_ref else ""
        self._bot = context.keys.bot
        self._store = context.store
        self._keys = context.keys
        self._sessions = sessions
        self._answers = answers
        self._settings = settings
        self._lifetime = lifetime
        self._provider = Provider(settings, secret)
        self._started = Signer(context.keys, "login", settings.issuer, settings.client_id)
        self._nonce = Signer(context.keys, "nonce", settings.issuer, settings.client_id)
        self._verifier = Signer(context.keys, "verifier", settings.issuer, settings.client_id)

    async def bearer(self, request: Request) -> Session | None:
        """Nobody."""
        return None

    def routes(self) -> Sequence[Route]:
        """Where a login begins, and where it comes back."""
        return [
            Route("/login", self._login, methods=["GET"]),
            Route("/callback", self._callback, methods=["GET"]),
        ]

    async def _login(self, request: Request) -> Response:
        try:
            endpoint = (await self._provider.metadata()).authorization_endpoint
        except Unreachable as error:
            return self._away(request, error)
        state, settings = new_id(), self._settings
        challenge = urlsafe_b64encode(hashlib.sha256(self._verifier.mac(state).encode()).digest()).rstrip(b"=").decode()
        scopes = ["openid", *(["email"] if settings.allowed_domains else []), *settings.scopes]
        query = {
            "response_type": "code", "client_id": settings.client_id, "redirect_uri": self._redirect_uri(request),
            "scope": " ".join(dict.fromkeys(scopes)), "state": state, "nonce": self._nonce.mac(state),
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        response = RedirectResponse(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", 302)
        text = f"{state}.{int(time.time()) + _SECONDS}"
        # Not strict: the way back begins at the issuer's.
        give_cookie(response, request, self._cookie(request), f"{text}.{self._started.mac(text)}", _SECONDS, "lax")
        return response

    async def _callback(self, request: Request) -> Response:
        try:
            who = await self._who(request)
        except (Unreachable, StoreUnavailable) as error:
            response = self._away(request, error)
        except BadToken as error:
            log.warning("a login was refused", reason=str(error))
            response = self._answers.login(request, 403, "web-error-refused")
        else:
            response = HTMLResponse(TO_PAGE)
            session = self._sessions.begin(request, who, self._lifetime)
            self._sessions.give(response, request, session, self._lifetime)
        give_cookie(response, request, self._cookie(request), "", 0, "lax")
        return response

    async def _who(self, request: Request) -> str:
        """Who comes back from the issuer. Raises BadToken, Unreachable, StoreUnavailable."""
        query = request.query_params
        code, state, issuer = query.get("code", ""), query.get("state", ""), query.get("iss")
        begun = self._begun(request)
        if begun is None or not hmac.compare_digest(begun.encode(), state.encode()):
            raise BadToken("it was not begun in this browser, or too long ago")
        if issuer is not None and issuer != self._settings.issuer:  # RFC 9207
            raise BadToken("it comes from another issuer")
        if not code or len(code) > _LONGEST:
            raise BadToken("the issuer refused it, or sent no usable code")
        used = self._keys.platform("web", f"login:{self._keys.pseudonym('web', 'login', state)}")
        if not await self._store.command("SET", used, "1", "NX", "EX", _SECONDS + 60):
            raise BadToken("it came back a second time")
        token = await self._provider.exchange(code, self._verifier.mac(state), self._redirect_uri(request))
        claims = await self._provider.claims(token, self._nonce.mac(state))
        if not lets_in(self._settings, claims):
            raise BadToken("the account is none of those that spec.platforms.web.access.oidc lets in")
        return self._keys.pseudonym("web", "subject", claims["iss"], claims["sub"])

    def _begun(self, request: Request) -> str | None:
        """The `state` of the login that this browser has begun."""
        found = _STARTED.fullmatch(cookie(request, self._cookie(request)))
        if found is None or not self._started.fits(f"{found[1]}.{found[2]}", found[3]) or int(found[2]) < time.time():
            return None
        return found[1]

    def _cookie(self, request: Request) -> str:
        return cookie_name(request, self._bot, ".login")

    def _redirect_uri(self, request: Request) -> str:
        if self._settings.redirect_url:
            return self._settings.redirect_url
        prefix = request.headers.get("x-forwarded-prefix", "").rstrip("/")
        path = (prefix if _PREFIX.fullmatch(prefix) else "") + request.scope.get("root_path", "")
        scheme = "https" if is_https(request) else "http"
        return f"{scheme}://{request.headers.get('host', '')}{path}/callback"

    def _away(self, request: Request, error: Exception) -> Response:
        log.warning("a login could not be finished; it may be tried again", reason=str(error))
        return self._answers.login(request, 503, "web-error-issuer")
