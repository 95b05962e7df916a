"""The answering half: each state of an answer is posted to `replyUrl`. It runs in workers: import nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp
import orjson

from gptbot.platforms.base import Button
from gptbot.platforms.errors import FloodWait, MessageGone, NotSent, OutcomeUnknown, Rejected
from gptbot.platforms.inbound import Address

_SECONDS = aiohttp.ClientTimeout(total=15, connect=5)
_BUSY, _GONE = 429, 410


class RelaySender:
    """See `gptbot.platforms.base.Sender`."""

    edit_interval = 1.0
    max_length = 4000

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self._http, self._url = http, url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def length(self, text: str) -> int:
        """Characters."""
        return len(text)

    async def typing(self, address: Address) -> None:
        """Not shown."""

    async def send(
        self, address: Address, text: str, *, nonce: str, first: bool, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Post a message. Its id is the nonce: sent again, it is the same message to the other side."""
        await self._post(address, nonce, text, final, buttons)
        return nonce

    async def edit(
        self, address: Address, message_id: str, text: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Post the message again, with the same id and its new text."""
        await self._post(address, message_id, text, final, buttons)

    async def _post(self, address: Address, message_id: str, text: str, final: bool, buttons: Sequence[Button]) -> None:
        answer = {
            "id": message_id, "chat": address["chat"], "replyTo": address["message"], "text": text, "final": final,
            "buttons": [{"label": each.label, "text": f"!{each.command}"} for each in buttons],
        }  # fmt: skip
        try:
            async with self._http.post(
                self._url, data=orjson.dumps(answer), headers=self._headers, timeout=_SECONDS, allow_redirects=False
            ) as response:
                status, wait = response.status, response.headers.get("Retry-After", "")
        except aiohttp.ClientConnectorError:
            raise NotSent("the address of spec.platforms.extra.relay.replyUrl cannot be reached") from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise OutcomeUnknown("no answer from spec.platforms.extra.relay.replyUrl") from None
        _judge(status, wait)


def _judge(status: int, wait: str) -> None:
    """Raise what a status means. Errors name the field, never an address, a text or an id."""
    if status == _BUSY:
        raise FloodWait(retry_after=float(wait) if wait.isascii() and wait.isdigit() else 60.0, scope="chat")
    if status == _GONE:
        raise MessageGone("the message is gone")
    if status >= 500:
        raise NotSent(f"spec.platforms.extra.relay.replyUrl answers {status}")
    if status >= 300:
        raise Rejected(f"spec.platforms.extra.relay.replyUrl answers {status}")
