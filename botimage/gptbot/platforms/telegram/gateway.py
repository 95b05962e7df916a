"""The receiving half: who the bot is, and then polling or a webhook under the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiogram import Bot
from aiogram.types import User
from starlette.routing import BaseRoute

from gptbot.platforms.base import GatewayContext
from gptbot.platforms.errors import Misconfigured
from gptbot.platforms.telegram.menu import set_menu
from gptbot.platforms.telegram.needed import me as who_is
from gptbot.platforms.telegram.polling import Poller, TokenRefused
from gptbot.platforms.telegram.session import FAILURES, Backoff, GetRawMe, Reporter, connect, refused, trouble
from gptbot.platforms.telegram.webhook import Receiver, Registration, secret_token
from gptbot.telemetry.logs import get_logger
from gptbot_api.platforms import Telegram

log = get_logger(__name__)

LEASE = "telegram"
_PRIVACY_MODE = (
    "spec.answerIn.groups is always, but Telegram's privacy mode hides what is said in groups: "
    "turn it off with /setprivacy at @BotFather, then add the bot to the group anew"
)


class TelegramGateway:
    """Receives the messages of one bot. See `platforms.base.PlatformGateway`."""

    def __init__(self, context: GatewayContext, settings: Telegram) -> None:
        self._context, self._settings = context, settings
        self._report = Reporter(context.report)
        self._receiver = Receiver(context, settings)

    def routes(self) -> Sequence[BaseRoute]:
        """The webhook, in webhook mode."""
        return self._receiver.routes() if self._settings.mode == "webhook" else []

    async def run(self) -> None:
        """Receive until cancelled. Raises Misconfigured: the token or the webhook's secret is missing or refused."""
        refusal: Misconfigured
        try:
            bot = connect(self._context.bot, self._settings)
            if self._settings.mode == "webhook" and self._settings.webhook is not None:
                secret_token(self._context.bot, self._settings.webhook)
        except Misconfigured as error:
            self._report(connected=False, reason=error.reason, message=str(error))
            raise
        try:
            if self._settings.mode == "webhook":
                self._receiver.bot = bot
                self._receiver.me = await self._identify(bot)  # by each replica: all of them take updates
            await self._context.leases.run(LEASE, lambda: self._hold(bot))
            return
        except TokenRefused:
            refusal = refused(self._settings)
        finally:
            await bot.session.close()
        self._report(connected=False, reason=refusal.reason, message=str(refusal))
        raise refusal

    async def _hold(self, bot: Bot) -> None:
        """What the gateway with the lease does. Raises TokenRefused."""
        me = self._receiver.me or await self._identify(bot)
        self._report.notices.clear()
        if self._context.bot.bot.spec.answer_in.groups == "always" and not me.can_read_all_group_messages:
            self._report.notices["PrivacyMode"] = _PRIVACY_MODE
        if self._settings.mode == "webhook" and self._settings.webhook is not None:
            work = Registration(bot, self._context, self._settings.webhook, self._report).run
        else:
            work = Poller(bot, me, self._context, self._report).run
        refused_token = False
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(set_menu(bot, self._context), name="telegram menu")
                group.create_task(work(), name="telegram")
        except* TokenRefused:
            refused_token = True
        if refused_token:
            raise TokenRefused

    async def _identify(self, bot: Bot) -> User:
        """The bot as Telegram knows it (Bot API, `getMe`). Trouble is waited out; raises TokenRefused."""
        backoff = Backoff()
        while True:
            try:
                me = who_is(await bot(GetRawMe()))
            except FAILURES as error:
                found = trouble(error)
                if found.token_refused:
                    raise TokenRefused from None
                self._report.trouble(found)
                log.warning("telegram does not say who the bot is", reason=found.message)
                await asyncio.sleep(backoff.next(found.wait))
            else:
                self._report.knows(me)
                return me
