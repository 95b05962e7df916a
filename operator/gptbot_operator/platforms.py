"""What is said of the platforms: an entry for each, and the condition PlatformsConnected."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gptbot_api import GptBot
from gptbot_operator.cluster import Document
from gptbot_operator.store import PlatformReport
from gptbot_operator.verdict import MAX_MESSAGE, Seen, Verdict, available

_STORE_AWAY = "the gateways' reports are in the store, which cannot be read"
DUPLICATE = "DuplicateToken"
_OTHERWISE = "Disconnected"
"""The reason where a gateway gives none."""


def platform_reports(bot: GptBot, seen: Seen, previous: Document) -> dict[str, PlatformReport]:
    """Each platform that is switched on, with what its gateway reports; an old report counts for nothing."""
    before = {entry["name"]: entry for entry in previous.get("platforms") or []}
    found: dict[str, PlatformReport] = {}
    for name in bot.spec.platforms.enabled():
        known: dict[str, Any] = before.get(name, {})
        unheard = PlatformReport(False, username=known.get("username", ""), invite=known.get("inviteLink", ""))
        if bot.spec.suspend:
            found[name] = replace(unheard, reason="Suspended", message="the bot is suspended")
        elif not available(seen.gateway):
            found[name] = replace(unheard, reason="GatewayUnavailable", message="no gateway is running")
        elif seen.store is None or not seen.store.reachable:
            found[name] = replace(unheard, reason="StoreUnreachable", message=_STORE_AWAY)
        elif report := seen.store.platforms.get(name):
            found[name] = report if report.connected or report.reason else replace(report, reason=_OTHERWISE)
        else:
            found[name] = replace(unheard, reason="NotReported", message="the gateway has not reported yet")
        if message := _duplicate(name, seen, known):
            found[name] = replace(found[name], reason=DUPLICATE, message=message)
    return found


def _duplicate(name: str, seen: Seen, known: dict[str, Any]) -> str | None:
    """What is said of a token that another bot has too."""
    if seen.duplicates is None:  # what was said stands until all bots were looked at
        return known.get("message") if known.get("reason") == DUPLICATE else None
    others = ", ".join(seen.duplicates.get(name, ()))
    return others and f"{others} has the same token: give one of them a bot of its own, or suspend it"


def platform_entries(platforms: dict[str, PlatformReport], previous: Document, now: str) -> list[Document]:
    """The entries of the status. A time stays what it was while `connected` does: replicas report different ones."""
    before = {entry["name"]: entry for entry in previous.get("platforms") or []}
    entries: list[Document] = []
    for name, report in platforms.items():
        known: dict[str, Any] = before.get(name, {})
        since = known.get("since") if known.get("connected") == report.connected else None
        entry: Document = {
            "name": name,
            "connected": report.connected,
            "since": since or (_time(report.since) if report.since else now),
            "reason": report.reason,
            "message": report.message[:MAX_MESSAGE],
        }
        if report.username:
            entry["username"] = report.username
        if report.invite:
            entry["inviteLink"] = report.invite
        entries.append(entry)
    return entries


def platforms_connected(bot: GptBot, seen: Seen, platforms: dict[str, PlatformReport]) -> Verdict:
    """Whether messages come in from all of them. What is wrong besides is in the message of a `True` one, too."""
    if bot.spec.suspend:
        return Verdict("False", "Suspended", "the bot is suspended")
    if not available(seen.gateway):
        return Verdict("False", "GatewayUnavailable", "no gateway is running")
    if seen.store is None or not seen.store.reachable:
        return Verdict("Unknown", "StoreUnreachable", _STORE_AWAY)
    away = {name: report for name, report in platforms.items() if not report.connected or report.reason == DUPLICATE}
    if away:
        reasons = {report.reason for report in away.values()}
        reasons = reasons & {DUPLICATE} or reasons  # what else is wrong may come of it
        text = "; ".join(f"{name}: {report.message or 'not connected'}" for name, report in away.items())
        return Verdict("False", reasons.pop() if len(reasons) == 1 else _OTHERWISE, text)
    notes = [f"{name}: {report.message}" for name, report in platforms.items() if report.message]
    return Verdict("True", "Connected", "; ".join(notes))


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
