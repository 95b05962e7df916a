"""Updates on their way to the bot: the queue, long polling with its conflicts, and webhook delivery with its retries.

Modelled after the Bot API server (`Client.cpp`, `WebhookActor.cpp`).
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp
import orjson

from tests.fakes.telegram.state import ApiError, Json

_LONGEST_POLL = 50
_CONFLICT_PAUSE = 3.0
_MOST_RETRY = 60.0
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
OTHER_READER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(slots=True)
class Webhook:
    """A webhook as it was set."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error_at: float | None = None
    last_error: str = ""
    delivered: int = 0
    attempts: int = 0


@dataclass(slots=True)
class _Poll:
    answered: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Updates:
    """The updates of the bot, oldest first, until they are confirmed or delivered."""

    def __init__(self, changed: Callable[[], None], *, first_id: int = 1000, retry: float = 1.0) -> None:
        self._changed = changed
        self._waiting: OrderedDict[int, Json] = OrderedDict()
        self._again: deque[Json] = deque()
        self._next_id = first_id
        self._allowed: frozenset[str] | None = None
        self._poll: _Poll | None = None
        self._next_conflict = 0.0
        self._retry = retry
        self.webhook: Webhook | None = None
        self._lanes: dict[int, deque[int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections = asyncio.Semaphore(40)
        self._http: aiohttp.ClientSession | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, kind: str, payload: Json, chat_id: int) -> int | None:
        """Queue an update. None: the bot did not ask for this kind."""
        if kind in NOT_BY_DEFAULT if self._allowed is None else kind not in self._allowed:
            return None
        number = self._next_id
        self._next_id += 1
        self._waiting[number] = {"update_id": number, kind: payload, "_lane": chat_id}
        if self.webhook is not None:
            self._enlane(number, chat_id)
        elif self._poll is not None and not self._poll.answered.done():
            self._poll.answered.set_result(None)
        self._changed()
        return number

    def redeliver(self, number: int) -> None:
        """Give an update that waits a second time, after the bot confirmed it: a server that lost a confirmation.

        Raises LookupError when it does not wait any more.
        """
        self._again.append(self._waiting[number])

    def allow(self, kinds: Sequence[str] | None) -> None:
        """Remember `allowed_updates`; None leaves what was asked for before, an empty list asks for the default."""
        if kinds is not None:
            self._allowed = frozenset(kinds) or None

    @property
    def allowed(self) -> list[str]:
        """What was asked for; empty: the default."""
        return sorted(self._allowed or ())

    async def get(self, offset: int, limit: int, timeout: int) -> list[Json]:
        """`getUpdates`: confirm what is before the offset, wait for something to come, give it."""
        if self.webhook is not None:
            await self._conflict(WEBHOOK_ACTIVE)
        self._confirm(offset)
        if self._poll is not None and not self._poll.answered.done():
            self._poll.answered.set_exception(ApiError(409, OTHER_READER))
        found = [_shown(self._again.popleft()) for _ in range(self._ripe(limit))]
        if not found and not self._waiting and timeout > 0:
            poll = self._poll = _Poll()
            try:
                async with asyncio.timeout(min(timeout, _LONGEST_POLL)):
                    await poll.answered
            except TimeoutError:
                pass
            except ApiError as error:
                await self._conflict(error.description)
            finally:
                if self._poll is poll:
                    self._poll = None
                poll.answered.cancel()
        for update in self._waiting.values():
            if len(found) >= limit:
                break
            if update["update_id"] >= offset or offset > self._next_id:
                found.append(_shown(update))
        return found

    def _ripe(self, limit: int) -> int:
        """How many of the updates to give again are confirmed."""
        ripe = itertools.takewhile(lambda update: update["update_id"] not in self._waiting, self._again)
        return min(limit, sum(1 for _ in ripe))

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            while len(self._waiting) > -offset:
                self._waiting.popitem(last=False)
        if not 0 < offset <= self._next_id:  # an offset in the future is none (`TQueue::get`)
            return
        while self._waiting and next(iter(self._waiting)) < offset:
            self._waiting.popitem(last=False)
        self._changed()

    async def _conflict(self, description: str) -> None:
        """409, at once for the first, then every three seconds (`fail_query_conflict`)."""
        now = time.monotonic()
        if now < self._next_conflict:
            await asyncio.sleep(_CONFLICT_PAUSE)
        else:
            self._next_conflict = now + _CONFLICT_PAUSE
        raise ApiError(409, description)

    async def set_webhook(self, webhook: Webhook | None, *, drop: bool) -> None:
        """Set, change or delete the webhook. What waits goes there from now on."""
        await self._stop_lanes()
        self.webhook = webhook
        if drop:
            self._waiting.clear()
        if webhook is None:
            return
        if self._poll is not None and not self._poll.answered.done():
            self._poll.answered.set_exception(ApiError(409, "Conflict: terminated by setWebhook request"))
        self._connections = asyncio.Semaphore(webhook.max_connections)
        for number, update in self._waiting.items():
            self._enlane(number, update["_lane"])

    def _enlane(self, number: int, chat_id: int) -> None:
        lane = self._lanes.get(chat_id)
        if lane is not None:
            lane.append(number)
            return
        self._lanes[chat_id] = deque([number])
        task = asyncio.create_task(self._post_lane(chat_id), name=f"webhook {chat_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post_lane(self, chat_id: int) -> None:
        """Post the updates of a chat in order, each until it is taken."""
        lane = self._lanes[chat_id]
        delay = self._retry
        while lane:
            async with self._connections:
                wait = await self._post(lane[0])
            if wait is None:
                self._waiting.pop(lane.popleft(), None)
                delay = self._retry
                self._changed()
                continue
            await asyncio.sleep(wait or delay)
            if not wait:
                delay = min(delay * 2, _MOST_RETRY)
        del self._lanes[chat_id]

    async def _post(self, number: int) -> float | None:
        """None: taken. Else seconds to wait, 0 when the receiver named none."""
        webhook = self.webhook
        assert webhook is not None
        headers = {"Content-Type": "application/json"}
        if webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        webhook.attempts += 1
        body = orjson.dumps(_shown(self._waiting[number]))
        try:
            async with self._http.post(webhook.url, data=body, headers=headers, allow_redirects=False) as response:
                if 200 <= response.status <= 299:
                    webhook.delivered += 1
                    return None
                error = f"Wrong response from the webhook: {response.status} {response.reason}"
                wait = _seconds(response.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError, OSError):
            error, wait = "Connection refused", 0.0
        webhook.last_error_at, webhook.last_error = time.time(), error
        self._changed()
        return wait

    async def _stop_lanes(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()

    async def close(self) -> None:
        """Stop delivering; what waits is kept."""
        await self._stop_lanes()
        if self._poll is not None and not self._poll.answered.done():
            self._poll.answered.set_exception(ApiError(500, "Internal Server Error: restart"))
        if self._http is not None:
            await self._http.close()
            self._http = None

    def resume(self) -> None:
        """Deliver again what waits, after `close`."""
        if self.webhook is not None:
            for number, update in self._waiting.items():
                self._enlane(number, update["_lane"])


def _shown(update: Json) -> Json:
    return {key: value for key, value in update.items() if key != "_lane"}


def _seconds(header: str) -> float:
    return float(header) if header.isdecimal() else 0.0
