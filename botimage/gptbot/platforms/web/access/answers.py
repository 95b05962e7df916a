"""What somebody gets who is not let in: a login page, a short notice, or JSON for those who asked for that."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from gptbot.platforms.web.markdown import escape
from gptbot.platforms.web.page import VERSION
from gptbot.platforms.web.texts import Texts, choose

_TEMPLATE = (Path(__file__).parent.parent / "static" / "login.html").read_text(encoding="utf-8")
MAX_FORM = 16_384
"""Bytes of a form that logs somebody in."""
_READ_SECONDS = 10.0
RELOAD = (
    '<!doctype html><meta charset="utf-8"><title></title><link rel="icon" href="static/icon.svg">'
    '<meta http-equiv="refresh" content="0{}">'
)
"""With an icon, as browsers ask the site's root for one else."""
TO_PAGE = RELOAD.format(";url=./")
"""Leads to the page from our own site: a redirect that began elsewhere would not show strict cookies."""


class _LoginTemplate(Template):
    idpattern = r"[a-z][a-z-]*"


class FormRefused(ValueError):
    """A form that logs somebody in is too large, too slow, or none."""


class Answers:
    """The answers of one bot's page."""

    def __init__(self, title: str) -> None:
        self._title = title
        self.form = ""
        """HTML of what people do to log in, once there is a gate."""
        self.script = False

    def login(self, request: Request, status: int, error: str = "", **values: Any) -> Response:
        """The login page, with an error by its name; JSON where that was asked for."""
        texts = texts_of(request)
        if wants_json(request) or request.scope["path"].endswith("/events"):
            return json_answer(401 if status == 200 else status, texts.text(error or "web-error-login", **values))
        return self._page(texts, status, texts.text(error, **values) if error else "", self.form)

    def slow(self, request: Request, wait: float, error: str = "web-error-address") -> Response:
        """Too much was asked for from one address; `wait` in seconds."""
        texts, headers = texts_of(request), {"Retry-After": str(math.ceil(wait))}
        if wants_json(request) or request.scope["path"].endswith("/events"):
            return json_answer(429, texts.text(error), headers)
        response = self._page(texts, 429, texts.text(error), "")
        response.headers.update(headers)
        return response

    def _page(self, texts: Texts, status: int, error: str, form: str) -> Response:
        template = _LoginTemplate(_TEMPLATE)
        form = _LoginTemplate(form).safe_substitute(_texts(texts, form))
        script = SCRIPT if self.script and form else ""
        html = template.substitute(
            _texts(texts, _TEMPLATE), version=VERSION, title=escape(self._title), form=form, error=escape(error),
            script=script,
        )  # fmt: skip
        return HTMLResponse(html, status)


SCRIPT = f'<script type="module" src="static/login.js?v={VERSION}"></script>'
"""Looks for a token in the page's own address."""


def _texts(texts: Texts, template: str) -> dict[str, str]:
    return {name: escape(texts.text(name)) for name in texts.names if f"${{{name}}}" in template}


def texts_of(request: Request) -> Texts:
    """The texts in the reader's language."""
    return choose(request.headers.get("accept-language", ""))


def wants_json(request: Request) -> bool:
    """Whether a script asks."""
    return "application/json" in request.headers.get("accept", "")


def json_answer(status: int, error: str, headers: dict[str, str] | None = None) -> Response:
    """An error for a script."""
    return Response(orjson.dumps({"error": error}), status, headers=headers, media_type="application/json")


async def small_form(request: Request) -> dict[str, str]:
    """The fields of a small form. Raises FormRefused."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise FormRefused("not a form")
    body = bytearray()
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM:
                    raise FormRefused("too large")
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=8)
    except (TimeoutError, ClientDisconnect, ValueError) as error:
        raise FormRefused(type(error).__name__) from None
    return {name: values[0] for name, values in fields.items()}
