"""Webhook mode: Telegram posts updates to the gateway, and posts them again until it gets a 2xx."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import orjson
from aiogram import Bot
from aiogram.types import User, WebhookInfo
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gptbot.inbox.store import StoreUnavailable
from gptbot.manifest import BotConfig
from gptbot.platforms.base import GatewayContext
from gptbot.platforms.errors import Misconfigured
from gptbot.platforms.inbound import Inbound
from gptbot.platforms.telegram import needed
from gptbot.platforms.telegram.administrators import with_administrator
from gptbot.platforms.telegram.limits import MAX_UPDATE_BYTES, SECRET_TOKEN, WEBHOOK_CHECK, WEBHOOK_CONNECTIONS
from gptbot.platforms.telegram.platform import SECRET_PATH
from gptbot.platforms.telegram.polling import TokenRefused, pressed_in, read
from gptbot.platforms.telegram.presses import Press, answer, clear
from gptbot.platforms.telegram.session import FAILURES, UPDATES, Backoff, GetRawWebhookInfo, Reporter, trouble
from gptbot.telemetry.logs import get_logger
from gptbot_api import InvalidManifest
from gptbot_api.platforms import Telegram, TelegramWebhook

log = get_logger(__name__)

DEFAULT_PATH = "/telegram/webhook"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
_UPDATE_ID = re.compile(rb'"update_id"\s{0,8}:\s{0,8}[0-9]{1,15}')
_HEAD = 200
"""Bytes in which the number of an update is looked for: it comes first."""
_LATER = {"Retry-After": "1"}


def secret_token(config: BotConfig, webhook: TelegramWebhook) -> str:
    """The secret that every update must carry. Raises Misconfigured when there is none, or Telegram would refuse it."""
    try:
        secret = config.secret(webhook.secret_ref, SECRET_PATH)
    except InvalidManifest as error:
        raise Misconfigured(str(error), "SecretMissing") from None
    if not re.fullmatch(SECRET_TOKEN, secret):
        reference = webhook.secret_ref
        raise Misconfigured(
            f"key {reference.key!r} of Secret {reference.name!r} is no secret token for a webhook: "
            "it must be 1 to 256 characters of A-Z, a-z, 0-9, _ and -",
            "SecretInvalid",
        )
    return secret


def address(webhook: TelegramWebhook) -> str:
    """Where Telegram posts to: `webhook.url`, with the default path when it has none."""
    parts = urlsplit(webhook.url)
    return parts._replace(path=DEFAULT_PATH).geturl() if parts.path in ("", "/") else webhook.url


class Receiver:
    """Takes updates over HTTP. Every replica of the gateway has one, with or without the lease."""

    def __init__(self, context: GatewayContext, settings: Telegram) -> None:
        self._context = context
        self._webhook = settings.webhook
        self.me: User | None = None
        """The bot, once Telegram said who it is."""
        self.bot: Bot | None = None
        """What buttons that were pressed are answered with."""

    def routes(self) -> Sequence[Route]:
        """The route of the webhook: the path of `webhook.url`."""
        if self._webhook is None:
            return []
        return [Route(urlsplit(address(self._webhook)).path, self.receive, methods=["POST"], name="telegram-webhook")]

    async def receive(self, request: Request) -> Response:
        """Take one update. 503: it was not taken, Telegram is to post it again."""
        assert self._webhook is not None
        try:
            expected = secret_token(self._context.bot, self._webhook)
        except Misconfigured:  # `run` reports it
            return Response(status_code=503, headers=_LATER)
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(), expected.encode()):
            return Response(status_code=403)
        if self.me is None:
            return Response(status_code=503, headers=_LATER)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_UPDATE_BYTES:
                return Response(status_code=413)
        try:
            update = orjson.loads(body)
        except orjson.JSONDecodeError:
            if _UPDATE_ID.search(body[:_HEAD]) is None:
                return Response(status_code=400)
            log.error("telegram update left out: it is no JSON that can be read")
            return Response(status_code=200)  # Telegram would offer it again for a day, and what came after it behind
        if not isinstance(update, dict):
            return Response(status_code=400)
        pressed = pressed_in(update)
        async with asyncio.TaskGroup() as group:
            if pressed is not None and self.bot is not None:
                group.create_task(answer(self.bot, pressed), name="telegram press")
            return await self._hand_in(read(update, self.me), pressed)

    async def _hand_in(self, message: Inbound | None, pressed: Press | None) -> Response:
        if message is not None:
            try:
                taken = await self._context.intake.accept(with_administrator(message, self.bot))
            except StoreUnavailable:
                return Response(status_code=503, headers=_LATER)
            except Exception as error:  # Telegram offers it again, with growing waits, for a day
                log.error("telegram message not taken: the intake fails on it", exc_info=error)
                return Response(status_code=500)
            if taken and pressed is not None and self.bot is not None:
                await clear(self.bot, pressed)
        return Response(status_code=200)


class Registration:
    """Tells Telegram where to post, and looks whether it can. Done by the gateway with the lease."""

    def __init__(self, bot: Bot, context: GatewayContext, webhook: TelegramWebhook, report: Reporter) -> None:
        self._bot, self._report = bot, report
        self._url = address(webhook)
        self._secret = secret_token(context.bot, webhook)

    async def run(self) -> None:
        """Set the webhook, then look after it until cancelled. Raises TokenRefused."""
        backoff = Backoff()
        last_error: object = None
        known = False
        while True:
            try:
                if not known:
                    await self._set()
                info = needed.webhook(await self._bot(GetRawWebhookInfo()))
            except FAILURES as error:
                found = trouble(error)
                if found.token_refused:
                    raise TokenRefused from None
                self._report.trouble(found)
                log.warning("telegram webhook not set or not looked at", reason=found.message)
                await asyncio.sleep(backoff.next(found.wait))
                continue
            backoff.reset()
            if info.url != self._url:
                log.warning("telegram webhook was changed by another program, setting it again")
                text = "another program changed the webhook: stop it; set again"
                self._report(connected=False, reason="WebhookChanged", message=text)
                known = False
                await asyncio.sleep(backoff.next())
                continue
            failing = known and info.last_error_date is not None and info.last_error_date != last_error
            known, last_error = True, info.last_error_date
            self._tell(info if failing else None)
            await asyncio.sleep(WEBHOOK_CHECK)

    async def _set(self) -> None:
        await self._bot.set_webhook(
            self._url,
            secret_token=self._secret,
            allowed_updates=UPDATES,
            max_connections=WEBHOOK_CONNECTIONS,
            drop_pending_updates=False,
        )

    def _tell(self, failing: WebhookInfo | None) -> None:
        if failing is None:
            self._report.well()
            return
        reason = failing.last_error_message or "no reason given"
        message = f"Telegram cannot deliver to webhook.url ({reason}): check that it reaches the gateway"
        self._report(connected=False, reason="WebhookUnreachable", message=message)
        log.warning("telegram cannot deliver to the webhook", reason=reason)
