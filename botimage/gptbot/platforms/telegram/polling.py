"""Long polling: read updates, hand them in, and only then tell Telegram that they were read."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramConflictError
from aiogram.types import Update, User
from pydantic import ValidationError

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import GatewayContext
from gptbot.platforms.inbound import Inbound
from gptbot.platforms.telegram.administrators import with_administrator
from gptbot.platforms.telegram.albums import meant_together
from gptbot.platforms.telegram.limits import OFFSET_LASTS, POISON_ATTEMPTS, POLL_BATCH, POLL_TIMEOUT, REQUEST_TIMEOUT
from gptbot.platforms.telegram.mapping import inbound
from gptbot.platforms.telegram.needed import of_update
from gptbot.platforms.telegram.presses import Press, answer, clear, press
from gptbot.platforms.telegram.session import FAILURES, UPDATES, Backoff, GetRawUpdates, Reporter, trouble
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

_Item = tuple[Inbound, Press | None]
"""What is handed in, and the button that it came from."""
_MOST_LEVELS = 100
"""An update is about 12 levels deep; a message replied to, 20."""
_DIGITS = 19
_MOST_ID = 2**53
"""Beyond it no number is an update's: one that was taken would have Telegram forget all updates to come."""
_UPDATE_ID = re.compile(r'"update_id"\s{0,8}:\s{0,8}([0-9]{1,15})')
STORE_AWAY = "the store is away: messages wait at Telegram until it is back"


class TokenRefused(Exception):
    """The token was good and is not any more."""


class Poller:
    """Reads the updates of one bot, for as long as this gateway holds the lease."""

    def __init__(self, bot: Bot, me: User, context: GatewayContext, report: Reporter) -> None:
        self._bot, self._me = bot, me
        self._context, self._report = context, report
        self._key = context.keys.platform("telegram", "offset")
        self._backoff = Backoff()

    async def run(self) -> None:
        """Read until cancelled. Raises TokenRefused."""
        offset = await self._kept_offset()
        batch = POLL_BATCH
        wait = 0  # the first answer says at once whether it works
        while True:
            try:
                updates = await self._bot(
                    GetRawUpdates(offset=offset, limit=batch, timeout=wait, allowed_updates=UPDATES),
                    request_timeout=int(wait + REQUEST_TIMEOUT),
                )
            except FAILURES as error:
                if isinstance(error, ClientDecodeError) and (number := _number(error.data)) is not None:
                    # The updates come one by one until the one that cannot be read is found, and left out.
                    if batch == 1:
                        log.error("telegram update left out: it is no JSON that can be read")
                        offset = number + 1
                        await self._keep_offset(offset)
                    batch = 1
                    continue
                # Against another reader a short call would always win, and say nothing.
                wait = POLL_TIMEOUT if isinstance(error, TelegramConflictError) else 0
                await self._recover(error)
                continue
            self._report.well()
            self._backoff.reset()
            batch = POLL_BATCH
            wait = POLL_TIMEOUT
            if updates:
                async with asyncio.TaskGroup() as group:
                    understood = [(update, pressed_in(update)) for update in updates]
                    for _, pressed in understood:
                        if pressed is not None:
                            group.create_task(answer(self._bot, pressed), name="telegram press")
                    found = [
                        (message, pressed) for update, pressed in understood if (message := read(update, self._me))
                    ]
                    messages = meant_together([message for message, _ in found])
                    await self._hand_in([
                        (with_administrator(message, self._bot), pressed)
                        for message, (_, pressed) in zip(messages, found, strict=True)
                    ])  # fmt: skip
                offset = after(updates, offset)
                if offset is not None:
                    await self._keep_offset(offset)

    async def _recover(self, error: Exception) -> None:
        """Say what is wrong, put right what can be, wait."""
        found = trouble(error)
        if found.token_refused:
            raise TokenRefused
        if isinstance(error, TelegramConflictError) and "webhook" in error.message:
            found = await self._delete_webhook() or found
        self._report.trouble(found)
        log.warning("telegram cannot be read", reason=found.message)
        await asyncio.sleep(self._backoff.next(found.wait))

    async def _delete_webhook(self) -> Any:
        """A webhook keeps `getUpdates` from working, and the manifest asks for polling."""
        try:
            await self._bot.delete_webhook(drop_pending_updates=False)
        except FAILURES as error:
            return trouble(error)
        log.warning("telegram webhook deleted, since the manifest asks for polling")
        self._report.notices["WebhookRemoved"] = (
            "a webhook was set for this bot and was deleted, since spec.platforms.telegram.mode is polling"
        )
        return None

    async def _hand_in(self, messages: Sequence[_Item]) -> None:
        """Have all messages accepted: those of a conversation in order, conversations side by side."""
        lanes: dict[str, deque[_Item]] = {}
        for item in messages:
            lanes.setdefault(item[0].conversation, deque()).append(item)
        while any(lanes.values()):
            async with asyncio.TaskGroup() as group:
                lanes_taken = [group.create_task(self._drain(lane)) for lane in lanes.values()]
            if not all(task.result() for task in lanes_taken):
                self._report(connected=False, reason="StoreAway", message=STORE_AWAY)
                await self._store_back()
                self._report.well()
        self._backoff.reset()

    async def _drain(self, lane: deque[_Item]) -> bool:
        """Have a lane accepted; a message leaves it then, so that none is handed in twice. False: the store is away.

        That is no exception here: a group of tasks that fails forgets that it was cancelled at the same time.
        """
        try:
            while lane:
                message, pressed = lane[0]
                taken = await accept(self._context, message)
                lane.popleft()
                if taken and pressed is not None:
                    await clear(self._bot, pressed)
        except StoreUnavailable:
            return False
        return True

    async def _store_back(self) -> None:
        """Wait for the store; a little in any case, for one that answers and yet takes nothing."""
        await asyncio.sleep(self._backoff.next())
        await self._context.intake.ready()

    async def _kept_offset(self) -> int | None:
        """Where the gateway before stopped, if it read the same bot."""
        while True:
            try:
                kept: bytes | None = await self._context.store.command("GET", self._key)
                break
            except StoreUnavailable:
                self._report(connected=False, reason="StoreAway", message=STORE_AWAY)
                await self._store_back()
        bot_id, _, offset = (kept or b"").decode(errors="replace").partition(":")
        whole = len(offset) < _DIGITS and offset.isascii() and offset.isdecimal()
        number = int(offset) if whole and bot_id == str(self._me.id) else _MOST_ID
        return number if number < _MOST_ID else None

    async def _keep_offset(self, offset: int) -> None:
        """Keep how far we are. Lost with the store, it costs updates that come twice and are known already."""
        try:
            await self._context.store.command("SET", self._key, f"{self._me.id}:{offset}", "EX", OFFSET_LASTS)
        except StoreUnavailable:
            log.warning("telegram offset not kept", reason="the store is away")


def after(updates: Sequence[Any], offset: int | None) -> int | None:
    """The offset behind all updates that have a number: Telegram tells of each again until it is confirmed."""
    numbers: list[Any] = [update.get("update_id") for update in updates if isinstance(update, dict)]
    return max([number + 1 for number in numbers if type(number) is int and 0 <= number < _MOST_ID], default=offset)


def _number(answer: Any) -> int | None:
    """The number of the first update in an answer that is no JSON; None where there is none."""
    found = _UPDATE_ID.search(answer) if isinstance(answer, str) else None
    return int(found[1]) if found else None


def pressed_in(update: Any) -> Press | None:
    """The button that was pressed, if an update tells of one. What cannot be read is passed over; `read` logs it."""
    try:
        return press(update)
    except Exception:
        return None


def read(update: Any, me: User) -> Inbound | None:
    """The message in an update, if there is one to answer. What cannot be read is logged and passed over."""
    try:
        if too_deep(update):
            log.error("telegram update left out: nested too deep, or no object")
            return None
        return inbound(Update.model_validate(of_update(update)), me)
    except ValidationError as error:
        fields = sorted({".".join(map(str, detail["loc"])) for detail in error.errors(include_input=False)})
        log.error("telegram update not understood, left out; update gptbot", fields=fields[:5])
        return None
    except Exception as error:  # one odd update must not keep the others from coming in
        log.error("telegram update left out: it cannot be read", reason=type(error).__name__)
        return None


def too_deep(update: Any) -> bool:
    """Whether an update is no object, or nested deeper than any of Telegram's: level by level, without recursion."""
    level: list[Any] = [update] if isinstance(update, dict) else []
    if not level:
        return True
    for _ in range(_MOST_LEVELS):
        level = [
            each
            for value in level
            for each in (
                cast("dict[str, Any]", value).values() if isinstance(value, dict) else cast("list[Any]", value)
            )
            if isinstance(each, dict | list)
        ]
        if not level:
            return False
    return True


async def accept(context: GatewayContext, message: Inbound) -> bool:
    """Hand a message in, and say whether it was for the bot. Raises StoreUnavailable.

    A message that makes the intake fail in another way is tried a few times and then left out, loudly: it must not keep
    the others from coming in.
    """
    backoff = Backoff()
    for attempt in range(1, POISON_ATTEMPTS + 1):
        try:
            return await context.intake.accept(message)
        except StoreUnavailable:
            raise
        except Exception as error:
            last = attempt == POISON_ATTEMPTS
            text = "telegram message left out: the intake fails on it" if last else "intake fails, trying again"
            log.error(text, exc_info=error, attempt=attempt)
            if not last:
                await asyncio.sleep(backoff.next())
    return False
