"""The bot's platforms: connected or not, and what to do about the reason that its gateway gives."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_gptbot.doctor.finding import Finding, note, ok, wrong
from kubectl_gptbot.doctor.scene import BotScene
from kubectl_gptbot.objects import status

_WAIT = "nothing yet: it is tried again. If it stays, look at the network and at spec.networkPolicy"
FIXES = {
    "TokenRefused": "put a valid token into the Secret and key that the message names; the bot takes it by itself",
    "SecretMissing": "make the key that the message names; the bot takes it by itself",
    "SecretInvalid": "put another value into the key that the message names, of A-Z, a-z, 0-9, _ and - alone",
    "DuplicateToken": "give one of the bots a token of its own, or suspend it (spec.suspend)",
    "AnotherPoller": "stop the other program that reads with this token, or revoke the token and put the new one in",
    "WebhookRemoved": "nothing, unless it comes again: then stop the other program that sets the webhook",
    "WebhookInTheWay": "delete the webhook: ask Telegram's deleteWebhook yourself, with the bot's token",
    "WebhookChanged": "stop the other program that sets this bot's webhook",
    "WebhookUnreachable": "see that platforms.telegram.webhook.url is public, and that spec.expose or an Ingress of "
    "your own leads from there to the bot's Service",
    "PrivacyMode": "/setprivacy at @BotFather, then add the bot to the group anew",
    "IntentMissing": "switch the message-content intent on in Discord's Developer Portal, or set "
    "platforms.discord.messageContentIntent to false",
    "IntentOff": "set platforms.discord.messageContentIntent to true and switch the intent on in the Developer "
    "Portal, or spec.answerIn.groups to mentioned",
    "IntentUnknown": "update gptbot",
    "ApiVersionGone": "update gptbot",
    "IdentifyBudgetLow": "find out why the gateway starts so often: its restarts and its log",
    "IdentifyBudgetSpent": "wait, it goes on by itself; find out why the gateway starts so often",
    "InteractionsElsewhere": "clear the Interactions Endpoint URL in Discord's Developer Portal",
    "CommandsRefused": "invite the bot again with the scope applications.commands",
    "ShardsMissing": "wait: a gateway is connecting them",
    "NotReported": "wait if the gateway has just started; else see its log and the condition StoreReachable",
    "GatewayUnavailable": "see the pods of the gateway below",
    "StoreAway": "see the condition StoreReachable",
    "StoreUnreachable": "see the condition StoreReachable",
    "Unreachable": _WAIT,
    "ServerError": _WAIT,
    "FloodWait": "wait: the platform says for how long, and it goes on by itself",
    "RequestRefused": _WAIT,
    "ReadingFails": _WAIT,
    "NotABotApi": "mend platforms.telegram.apiBaseUrl",
    "NotADiscordApi": "mend platforms.discord.apiBaseUrl",
    "NotInstalled": "put the platform's package into the bot's image, or take it out of platforms.extra",
}
"""Reason to what to do, as docs/troubleshooting.md has it."""


def are_connected(scene: BotScene) -> Iterator[Finding]:
    """Each platform receives messages, as its gateway reports."""
    if scene.bot["spec"].get("suspend"):
        return
    for platform in status(scene.bot).get("platforms") or []:
        reason, message = platform.get("reason", ""), platform.get("message", "")
        known = platform.get("username")
        log = f"see docs/troubleshooting.md, and `kubectl gptbot logs {scene.name} --role gateway`"
        said = f"{message} ({reason})" if reason and message else message or reason
        what = f"{platform['name']} is connected{f' as {known}' if known else ''}"
        if not platform.get("connected"):
            what = f"{platform['name']} is not connected: {said or 'the gateway gives no reason'}"
            yield wrong(what, FIXES.get(reason, log))
        elif reason == "DuplicateToken":  # each message reaches one of the two
            yield wrong(f"{what}, but: {said}", FIXES[reason])
        elif said:
            yield note(f"{what}, but: {said}", FIXES.get(reason, ""))
        else:
            yield ok(what)
