"""The command menu that Telegram shows beside the text field."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence

import orjson
from aiogram import Bot
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
    BotCommandScopeUnion,
)

from gptbot.inbox.store import StoreUnavailable
from gptbot.platforms.base import CommandInfo, GatewayContext
from gptbot.platforms.telegram.limits import COMMAND_DESCRIPTION, COMMAND_NAME, MAX_COMMANDS, MENU_LASTS
from gptbot.platforms.telegram.session import FAILURES, Backoff, trouble
from gptbot.telemetry.logs import get_logger

log = get_logger(__name__)

_SCOPES: tuple[tuple[BotCommandScopeUnion, Callable[[CommandInfo], bool]], ...] = (
    (BotCommandScopeDefault(), lambda info: not info.administrators),
    # A narrower menu hides the wider ones (Bot API, "Determining list of commands").
    (BotCommandScopeAllPrivateChats(), lambda info: "private" in info.where),
    (BotCommandScopeAllGroupChats(), lambda info: "group" in info.where and not info.administrators),
    (BotCommandScopeAllChatAdministrators(), lambda info: "group" in info.where),
)
"""Who sees which commands."""


async def set_menu(bot: Bot, context: GatewayContext) -> None:
    """Set the menu in every language there is, unless that was done within a day. Trouble is waited out.

    A bot works without its menu, so what Telegram refuses for good is logged and left.
    """
    key = context.keys.platform("telegram", "menu")
    menus = [
        (scope, language, menu([info for info in context.commands if shown(info)], language))
        for scope, shown in _SCOPES
        for language in languages(context.commands)
    ]
    plain = [
        (scope.type, language, [(c.command, c.description) for c in entries]) for scope, language, entries in menus
    ]
    digest = hashlib.sha256(orjson.dumps([bot.id, plain])).hexdigest()
    try:
        if await context.store.command("GET", key) == digest.encode():
            return
    except StoreUnavailable:
        pass  # setting it once more does no harm
    for scope, language, entries in menus:
        if not await _set(bot, entries, scope, language):
            return
    try:
        await context.store.command("SET", key, digest, "EX", MENU_LASTS)
    except StoreUnavailable:
        log.info("telegram menu set, and not remembered", reason="the store is away")


def languages(commands: Sequence[CommandInfo]) -> list[str]:
    """The menus to set: one for everybody (an empty string), one a language that Telegram can tell (ISO 639-1)."""
    known = {language for command in commands for language in command.descriptions}
    return ["", *sorted(language for language in known if re.fullmatch("[a-z]{2}", language))]


def menu(commands: Sequence[CommandInfo], language: str) -> list[BotCommand]:
    """The menu in a language, in English where a description is missing. Leaves out what Telegram cannot name."""
    named = [command for command in commands if re.fullmatch(COMMAND_NAME, command.name)]
    return [
        BotCommand(
            command=command.name,
            description=(command.descriptions.get(language) or command.descriptions["en"])[:COMMAND_DESCRIPTION],
        )
        for command in named[:MAX_COMMANDS]
    ]


async def _set(bot: Bot, entries: list[BotCommand], scope: BotCommandScopeUnion, language: str) -> bool:
    """Set one menu. False: Telegram refuses it for good."""
    backoff = Backoff()
    for _ in range(10):
        try:
            await bot.set_my_commands(entries, scope=scope, language_code=language or None)
        except FAILURES as error:
            found = trouble(error)
            log.warning("telegram command menu not set", reason=found.message)
            if found.token_refused or "refuses a request" in found.message:
                return False
            await asyncio.sleep(backoff.next(found.wait))
        else:
            return True
    return False
