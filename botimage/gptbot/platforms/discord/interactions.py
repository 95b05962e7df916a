"""Acknowledging slash commands and buttons: Discord wants to hear within 3 s, a model needs longer.

See docs/interactions/receiving-and-responding. Whether an answer is for the caller alone has to be said then, so the
acknowledgement waits a moment for the intake's verdict.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, Final

from gptbot.inbox.envelope import USED_UP
from gptbot.locales import texts
from gptbot.platforms.discord.fields import fields, id_of, word
from gptbot.platforms.discord.limits import EPHEMERAL, INTERACTION_DEADLINE, Code
from gptbot.platforms.discord.mapping import interaction_address, is_button, language
from gptbot.platforms.discord.rest import Refused, Rest
from gptbot.platforms.errors import FloodWait, NotSent, OutcomeUnknown, PlatformError
from gptbot.platforms.inbound import Address, Verdict

_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _CHOICES = 4, 5, 6, 7, 8
"""Types of a callback: a message, a message to come, nothing to see, the message of the button changed, choices."""
_RETRY: Final = 0.2
_VERDICT_WAIT: Final = 1.0
"""Seconds that are left to the intake: it needs the store, and earlier messages of the channel come first."""


class Acknowledgement:
    """The acknowledgement of one interaction. `run` it at once as a task; the intake tells `hears` its verdict."""

    def __init__(self, rest: Rest, interaction: Any) -> None:
        self._rest = rest
        self._data = interaction
        self._button = is_button(interaction)
        self._deadline = time.monotonic() + INTERACTION_DEADLINE
        self._verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._done: asyncio.Future[tuple[Verdict | None, bool]] = asyncio.get_running_loop().create_future()
        """What was known when it was sent, and whether Discord took it."""

    async def run(self) -> None:
        """Acknowledge, with what is known after a moment."""
        await asyncio.wait({self._verdict}, timeout=_VERDICT_WAIT)
        verdict = self._verdict.result() if self._verdict.done() else None
        taken = False
        try:
            taken = await self._respond(self._callback(verdict))
        finally:
            self._done.set_result((verdict, taken))

    async def hears(self, verdict: Verdict) -> Address | None:
        """Where the answer goes; None when its author was told a refusal. See `platforms.inbound.Hears`."""
        if not self._verdict.done():
            self._verdict.set_result(verdict)
        known, taken = await asyncio.shield(self._done)
        if not taken:
            return interaction_address(self._data, deferred=False)
        if verdict.refusal is None:
            return interaction_address(self._data, private=known is not None and known.private)
        if (known is not None and known.refusal is not None) or await self._tell(verdict):
            return None
        return interaction_address(self._data)

    def _callback(self, verdict: Verdict | None) -> dict[str, Any]:
        if verdict is not None and verdict.refusal is not None:
            return {"type": _MESSAGE, "data": self._refusal(verdict)}
        if self._button and word(fields(self._data, "data"), "custom_id").partition(" ")[0] in USED_UP:
            # The answer below is asked for anew, or goes on: its own buttons have done their work.
            return {"type": _UPDATE, "data": {"components": []}}
        if self._button:
            return {"type": _DEFERRED_UPDATE}
        if verdict is not None and verdict.private:
            return {"type": _DEFERRED, "data": {"flags": EPHEMERAL}}
        return {"type": _DEFERRED}

    def _refusal(self, verdict: Verdict) -> dict[str, Any]:
        assert verdict.refusal is not None
        content = texts(verdict.language or language(self._data))(verdict.refusal, **verdict.values)
        return {"content": content, "flags": EPHEMERAL, "allowed_mentions": {"parse": []}}

    async def _tell(self, verdict: Verdict) -> bool:
        """Tell a refusal after the acknowledgement: in the answer that was promised, or in one of its own."""
        token = word(self._data, "token")
        base = f"/webhooks/{id_of(self._data, 'application_id')}/{token}"
        body = self._refusal(verdict)
        method, path = "POST", base
        if not self._button:
            method, path = "PATCH", f"{base}/messages/@original"
            del body["flags"]  # it is for all to see already
        try:
            await self._rest.request(method, path, route=("answer", token), body=body, interaction=True)
        except PlatformError:
            return False
        return True

    async def _respond(self, body: dict[str, Any]) -> bool:
        """Create Interaction Response. False: it was too late, the interaction's token is worth nothing."""
        token = word(self._data, "token")
        while (left := self._deadline - time.monotonic()) > 0:
            try:
                await self._rest.request(
                    "POST", f"/interactions/{id_of(self._data)}/{token}/callback", route=("callback", token),
                    body=body, timeout=left, interaction=True,
                )  # fmt: skip
            except Refused as refused:
                return refused.code == Code.ALREADY_ACKNOWLEDGED  # by us: the event came twice
            except (NotSent, OutcomeUnknown):
                await asyncio.sleep(_RETRY)
            except FloodWait as flood:
                await asyncio.sleep(min(flood.retry_after, INTERACTION_DEADLINE))
            else:
                return True
        return False


async def complete(rest: Rest, interaction: Any, choices: list[dict[str, Any]]) -> None:
    """Answer an Autocomplete. Trouble does not matter: with the next letter comes another."""
    with contextlib.suppress(PlatformError):
        await rest.request(
            "POST", f"/interactions/{interaction['id']}/{interaction['token']}/callback",
            route=("callback", interaction["token"]), body={"type": _CHOICES, "data": {"choices": choices}},
            timeout=INTERACTION_DEADLINE, interaction=True,
        )  # fmt: skip
