"""The mailbox of every conversation: each message answered once and in order, whoever dies meanwhile.

Step by step: `enqueue` (gateway), `receive` and `claim`, `renew`, `begin` and `sent`, then one of `done`, `retry` and
`bury`.
A fencing token is handed out with each claim; every later step is refused once somebody else has a newer one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Any, cast

from redis.exceptions import ResponseError

from gptbot.inbox.albums import MOST_PARTS, SETTLES, growing
from gptbot.inbox.asked import amended, said_in
from gptbot.inbox.chats import KNOWN
from gptbot.inbox.choices import Choices
from gptbot.inbox.claims import Claim, Entry, TurnLost, Unsure, entries, number, pairs, readable, text, together
from gptbot.inbox.envelope import ASK_THE_MODEL, Envelope
from gptbot.inbox.gathering import Gathering
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mending import count
from gptbot.inbox.store import Store
from gptbot_api.store_functions import function

GROUP = "workers"
TURN_LEASE = 15.0
"""Seconds after its last renewal that a turn is given to another worker."""
SEEN_TTL = 48 * 3600.0
"""Seconds an event is remembered: no platform delivers one again after more than 24 hours."""
LONGEST_DELAY = 24 * 3600.0
"""Seconds that a turn is put off at most."""
TURN_TTL = 26 * 3600.0
"""Seconds that the notes of a turn outlast its last change: longer than any wait a platform was seen to ask for."""
MOST_MERGED = 20
"""Messages that one answer is for, at most."""
STOP_TTL = 60.0
"""Seconds that the end of an answer is told to workers; they look every second while they have turns."""
MOST_STOPS = 1000
MAX_DEAD = 1000
RETENTION = 24 * 3600.0
"""Seconds that a message may wait for its answer, unless a bot says otherwise."""
UNREADABLE_TTL = 24 * 3600.0
"""Seconds that a message nobody can read stays a dead letter."""

UNREADABLE_MAIL = "unreadable: a message in the key `mail` is damaged, or of another version of gptbot"
"""Reason of a dead letter that nobody can read."""
_ASKING = " ".join(("", *sorted(ASK_THE_MODEL), ""))
_PART = re.compile(r"m[0-9]{1,6}")

_RENEW, _NOTE, _SENT = function("renew"), function("note"), function("sent")
_ENQUEUE = function("enqueue")
_RETRY, _PROMOTE = function("retry"), function("promote")
_CLAIM, _DONE, _BURY, _GIVE_UP = map(function, ("claim", "done", "bury", "giveup"))


class Away(Enum):
    """Why a turn waits for the model."""

    FAILED = auto()
    """It was not there: it may be back at any time."""
    ASKED_TO_WAIT = auto()
    """It said for how long."""


class Mailbox:
    """The mailboxes of one bot."""

    def __init__(
        self,
        store: Store,
        keys: BotKeys,
        consumer: str,
        lease: float = TURN_LEASE,
        retention: Callable[[], float] = lambda: RETENTION,
    ) -> None:
        """`retention`: seconds that a message may wait for its answer."""
        self.retention = retention
        self.store = store
        self.keys = keys
        self.consumer = consumer
        """Name of this worker in the consumer group, unique a process."""
        self.lease = lease
        """Seconds after its last renewal that a turn is given to another worker."""
        self.choices = Choices(store, keys)
        """What was chosen in conversations, as this process knows it."""
        self._arrivals = Gathering()

    async def enqueue(self, conversation: str, envelope: Envelope, debounce: float = 0.0) -> bool:
        """Put a message into its mailbox; False when the event was enqueued before. Raises StoreUnavailable.

        An answer to what its author sent up to `debounce` seconds before is begun anew for both, if nothing of it is
        shown yet: its worker loses the turn, as it would to another worker, and hears of it as of a stop.
        """
        names, user, speaker = self.keys, envelope.user, envelope.speaker
        keys = (
            *self.turn_keys(conversation), names.later, names.stops, names.aside(conversation),
            names.seen(envelope.event), names.chats(user), names.people(conversation),
        )  # fmt: skip
        aside = self._aside_ttl if envelope.needs_no_model else 0
        known = int(KNOWN * self.retention() * 1000) if speaker or envelope.direct else 0
        within = int(debounce * 1000) if envelope.plain else 0
        return bool(await self.store.run(
            _ENQUEUE, keys, GROUP, conversation, int(STOP_TTL * 1000), MOST_STOPS, int(SEEN_TTL * 1000),
            envelope.encode(), user, speaker, known, int(envelope.received * 1000), within, MOST_MERGED, aside,
        ))  # fmt: skip

    @property
    def _aside_ttl(self) -> int:
        """Milliseconds that what is answered aside may wait for a worker."""
        return int(self.retention() * 1000)

    @property
    def _line(self) -> tuple[str, str, str]:
        return self.keys.runnable, self.keys.line, self.keys.waiting

    def turn_keys(self, conversation: str) -> tuple[str, ...]:
        """The keys that functions ending a turn begin with."""
        return *self._line, self.keys.owner, self.keys.mail(conversation), self.keys.turn(conversation)

    def _keys_of(self, entry: Entry, *, aside: bool) -> tuple[str, ...]:
        """The same for a turn, which may be for what is answered aside."""
        keys, conversation = self.keys, entry.conversation
        if not aside:
            return self.turn_keys(conversation)
        return *self._line, keys.owner, keys.aside(conversation), keys.aside_turn(conversation)

    def _notes_of(self, claim: Claim) -> str:
        """The key of what a turn did."""
        return self._keys_of(claim.entry, aside=claim.aside)[-1]

    def _memory(self, conversation: str) -> tuple[str, str]:
        return self.keys.context(conversation), self.keys.summary(conversation)

    async def create_group(self) -> None:
        """Make the consumer group, from the stream's beginning, if it is not there."""
        try:
            await self.store.command("XGROUP", "CREATE", self.keys.runnable, GROUP, "0", "MKSTREAM")
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def receive(self, count: int, block: float) -> list[Entry]:
        """Wait up to `block` seconds for at most `count` conversations. Raises StoreUnavailable."""
        now = time.monotonic()
        if self._arrivals.due > now:
            await asyncio.sleep(self._arrivals.due - now)
        arguments = ("XREADGROUP", "GROUP", GROUP, self.consumer, "COUNT", count, "BLOCK", int(block * 1000))
        try:
            reply = await self.store.block(*arguments, "STREAMS", self.keys.runnable, ">", timeout=block + 10)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self.create_group()  # the store lost its data
            return []
        found = entries(reply[0][1]) if reply else []
        self._arrivals.took(len(found), time.monotonic())
        return found

    async def take_over(self, count: int) -> list[Entry]:
        """Entries of workers that have not renewed for the length of a lease."""
        try:
            reply = await self.store.command(
                "XAUTOCLAIM", self.keys.runnable, GROUP, self.consumer, int(self.lease * 1000), "0", "COUNT", count
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self.create_group()
            return []
        return entries(reply[1])

    async def claim(self, entry: Entry, most: int = 1) -> Claim | None:
        """Make an entry this worker's turn; None when there is nothing to do, or not yet.

        With `most` above 1, plain messages of one person that stand one after another are one turn, so many at most.
        The parts of an album are one turn in any case; a turn of which more may come is put off.
        """
        conversation = entry.conversation
        asked = time.monotonic()
        context, summary = self._memory(conversation)
        names = self.keys
        keys = (
            *self.turn_keys(conversation), context, names.settings(conversation), summary, names.aside(conversation),
            names.aside_turn(conversation), names.later,
        )  # fmt: skip
        limits = (most + MOST_PARTS - 1, int(TURN_TTL * 1000))
        reply = await self.store.run(_CLAIM, keys, GROUP, conversation, self.consumer, entry.id, *limits)
        if not reply:
            return None
        token, mail, said, turn, settings, before, deliveries, aside = reply
        notes = pairs(turn)
        messages = readable(mail)
        if not messages:
            known = (0, 0, number(notes.get("edits")))
            await self._bury(entry, int(token), 1, UNREADABLE_MAIL, UNREADABLE_TTL, known, aside=bool(aside))
            count(self.keys.bot, "mail")
            return None
        answered, stop = number(notes.get("answers")), number(notes.get("stop"))
        messages = messages[:answered] if answered else together(messages[: stop or None], most)
        unsure = Unsure.read(notes.get("trying"))
        claim = Claim(
            entry=entry, token=int(token), messages=messages,
            context=list(said), summary=text(before) or "", reply=notes.get("reply"),
            attempts=number(notes.get("attempts")), deliveries=int(deliveries),
            away=number(notes.get("away")), aside=bool(aside),
            unsure=None if unsure is not None and f"m{unsure.part}" in notes else unsure,
            sent={int(name[1:]): value for name, value in notes.items() if _PART.fullmatch(name)},
            stop=bool(stop), cut=notes.get("cut"), settings=pairs(settings), deadline=asked + self.lease,
            edits=number(notes.get("edits")),
        )  # fmt: skip
        if before is not None and text(before) is None:
            count(self.keys.bot, "sum")
        album = None if answered or stop or claim.sent else growing(claim.messages)
        with contextlib.suppress(TurnLost):
            if album is None or album == notes.get("album"):
                if len(claim.messages) < len(mail):  # the others may be edited or deleted without touching this turn
                    await self._note(claim, "claimed", str(len(claim.messages)))
                return claim
            await self._note(claim, "album", album)
            await self.retry(claim, SETTLES, attempt=False)
        return None

    async def give_up(self, entry: Entry, reason: str, tries: int) -> bool:
        """Make a dead letter of an entry that cannot be claimed, if it was delivered `tries` times. Whether it was.

        Raises StoreUnavailable.
        """
        keys, conversation = self.keys, entry.conversation
        pending = await self.store.command("XPENDING", keys.runnable, GROUP, entry.id, entry.id, 1)
        if pending and int(pending[0][3]) < tries:
            return False
        places = (*self.turn_keys(conversation), keys.dead, keys.aside(conversation), keys.aside_turn(conversation))
        limits = (reason, MAX_DEAD, int(UNREADABLE_TTL * 1000))
        return bool(await self.store.run(_GIVE_UP, places, GROUP, conversation, entry.id, *limits))

    async def renew(self, claim: Claim) -> None:
        """Keep a turn for another lease. Raises TurnLost."""
        keys = (self.keys.runnable, self.keys.owner)
        entry, asked = claim.entry, time.monotonic()
        if not await self.store.run(_RENEW, keys, GROUP, self.consumer, entry.id, entry.conversation, claim.token):
            claim.lost = True
            raise TurnLost
        claim.deadline = asked + self.lease

    def check(self, claim: Claim) -> None:
        """Raise TurnLost when another worker has the turn, or may have it: a cheap look before each edit."""
        if claim.lost or time.monotonic() > claim.deadline:
            raise TurnLost

    async def begin(self, claim: Claim, trying: Unsure | None = None) -> None:
        """Make sure, right before a message is sent, that the turn is still ours. Raises TurnLost.

        `trying`: the part that is about to be sent, where it can be looked for if nobody hears what became of it.
        """
        claim.unsure = trying
        more = () if trying is None else ("trying", str(trying))
        await self._note(claim, "begun", str(len(claim.messages)), *more)
        self.check(claim)

    async def put_off(self, claim: Claim) -> None:
        """Note that what was begun is not sent yet: whoever takes over need not look for it. Raises TurnLost."""
        claim.unsure = None
        await self._note(claim, "trying", "")

    async def sent(self, claim: Claim, part: int, message_id: str) -> None:
        """Note the id of a message sent, so that whoever takes over edits it. Raises TurnLost.

        One that can be looked for is noted as the conversation's last, too.
        """
        keys = [self.keys.owner, self._notes_of(claim)]
        if claim.unsure is not None:
            keys.append(self.keys.last(claim.conversation))
        claim.sent[part], claim.unsure = message_id, None
        if claim.lost or not await self.store.run(
            _SENT, keys, claim.conversation, claim.token, int(TURN_TTL * 1000), f"m{part}", message_id
        ):
            claim.lost = True
            raise TurnLost

    async def last_sent(self, conversation: str) -> str:
        """Id of the last message that a turn sent and noted, where such can be looked for; empty if there is none."""
        return text(await self.store.command("GET", self.keys.last(conversation))) or ""

    async def replied(self, claim: Claim, reply: str, cut: str | None = None) -> None:
        """Note the finished reply, so that a later try sends it without asking the model again. Raises TurnLost.

        `cut`: why it is not whole, if it is not.
        """
        claim.reply, claim.cut = reply, cut
        why = () if cut is None else ("cut", cut)
        await self._note(claim, "reply", reply, "answers", str(len(claim.messages)), *why)

    async def _note(self, claim: Claim, *notes: str) -> None:
        keys = (self.keys.owner, self._notes_of(claim))
        if claim.lost or not await self.store.run(
            _NOTE, keys, claim.conversation, claim.token, int(TURN_TTL * 1000), *notes
        ):
            claim.lost = True
            raise TurnLost

    async def done(self, claim: Claim, add: Sequence[bytes], ttl: float, keep: int, drop: int = 0) -> None:
        """Finish a turn: its messages go, `add` is put to the context (`keep` messages, `ttl` seconds).

        `drop`: so many messages go from the end of the context before. Raises TurnLost.
        """
        entry = claim.entry
        keys = (*self._keys_of(entry, aside=claim.aside), *self._memory(entry.conversation))
        limits = (len(claim.messages), int(ttl * 1000), keep, drop)

        async def end(edits: int, messages: Sequence[bytes]) -> Any:
            return await self.store.run(
                _DONE, keys, GROUP, entry.conversation, entry.id, claim.token, *limits, edits, *messages
            )

        await self._end(claim, end, add if keep > 0 else ())

    async def retry(self, claim: Claim, delay: float, *, attempt: bool = True, model: Away | None = None) -> None:
        """Put a turn off for `delay` seconds; 0 gives it to any worker at once. `attempt`: it counts as a failed try.

        `model`: it waits for that. What needs no model is answered meanwhile, and what else is asked in the
        conversation has it tried at once, unless the model itself asked for the delay.
        However long somebody asks to wait, it comes back within a day. Raises TurnLost.
        """
        entry, delay = claim.entry, min(delay, LONGEST_DELAY)
        names, conversation = self.keys, entry.conversation
        keys = (
            *self._line, names.owner, self._notes_of(claim), names.later, names.mail(conversation),
            names.aside(conversation),
        )  # fmt: skip
        ttl = int((TURN_TTL + delay) * 1000)
        unsure = "" if claim.unsure is None else str(claim.unsure)
        waits = () if model is None else (int(model is Away.ASKED_TO_WAIT), self._aside_ttl, _ASKING)
        if not await self.store.run(
            _RETRY, keys, GROUP, conversation, entry.id, claim.token, int(delay * 1000), int(attempt), ttl, unsure,
            *waits,
        ):  # fmt: skip
            raise TurnLost

    async def bury(
        self, claim: Claim, reason: str, ttl: float, add: Sequence[bytes] = (), add_ttl: float = 0, keep: int = 0
    ) -> None:
        """Give a turn up: its messages become dead letters, kept for `ttl` seconds. Raises TurnLost.

        `add` is put to the context (`keep` messages, `add_ttl` seconds).
        """
        limits = (int(add_ttl * 1000), keep)

        async def end(edits: int, messages: Sequence[bytes]) -> Any:
            noted = (*limits, edits, *messages)
            return await self._bury(
                claim.entry, claim.token, len(claim.messages), reason, ttl, noted, aside=claim.aside
            )

        await self._end(claim, end, add if keep > 0 else ())

    @staticmethod
    async def _end(claim: Claim, end: Callable[[int, Sequence[bytes]], Awaitable[Any]], add: Sequence[bytes]) -> None:
        """End a turn with what was edited meanwhile in the place of what it was made with. Raises TurnLost."""
        edits = claim.edits
        while isinstance(done := await end(edits, add), list):
            edits, mail, replaced = cast("tuple[int, list[bytes], list[bytes]]", done)
            said = {message.event: message.text for message in readable(mail)} | said_in(replaced)
            add = [amended(entry, said) for entry in add]
        if not done:
            raise TurnLost

    async def _bury(
        self,
        entry: Entry,
        token: int,
        messages: int,
        reason: str,
        ttl: float,
        noted: tuple[int | bytes, ...],
        *,
        aside: bool,
    ) -> Any:
        keys = (*self._keys_of(entry, aside=aside), self.keys.dead, *self._memory(entry.conversation))
        limits = (messages, reason, MAX_DEAD, int(ttl * 1000), *noted)
        return await self.store.run(_BURY, keys, GROUP, entry.conversation, entry.id, token, *limits)

    async def promote(self, most: int = 100) -> int:
        """Make turns runnable whose time has come, or is further away than any that is given; how many."""
        return int(
            await self.store.run(_PROMOTE, (*self._line, self.keys.later), GROUP, most, int(2 * LONGEST_DELAY * 1000))
        )

    async def waiting(self, conversation: str) -> list[Envelope]:
        """The messages of a conversation that are not answered yet, up to the first that cannot be read."""
        lists = [self.keys.mail(conversation), self.keys.aside(conversation)]
        found = await asyncio.gather(*(self.store.command("LRANGE", each, 0, -1) for each in lists))
        return [message for items in found for message in readable(items)]

    async def backlog(self) -> int:
        """Conversations in line or being answered: finished entries are deleted, so the stream's length says it."""
        return int(await self.store.command("XLEN", self.keys.runnable))

    async def choose(self, conversation: str, choices: Mapping[str, str | None], ttl: float) -> None:
        """Remember settings of a conversation for `ttl` seconds, from the last change or use on; None forgets one."""
        key = self.keys.settings(conversation)
        for name, value in choices.items():
            if value is None:
                await self.store.command("HDEL", key, name)
            else:
                await self.store.command("HSET", key, name, value)
        await self.store.command("PEXPIRE", key, int(ttl * 1000))
        self.choices.changed(conversation)

    async def keep_choices(self, conversation: str, ttl: float) -> None:
        """Keep what was chosen in a conversation for `ttl` seconds from now on: it is in use."""
        await self.store.command("PEXPIRE", self.keys.settings(conversation), int(ttl * 1000))

    async def forget(self, conversation: str, choices: Sequence[str] | None = None) -> None:
        """Delete what was said in a conversation, and its settings; of those only `choices`, where they are named."""
        keys = self.keys
        said = (
            keys.context(conversation), keys.summary(conversation), keys.folding(conversation),
            keys.heard(conversation), keys.words(conversation),
        )  # fmt: skip
        steps = [self.store.command("DEL", *said)]
        if choices is None:
            known = (keys.settings(conversation), keys.met(conversation), keys.last(conversation))
            steps.append(self.store.command("DEL", *known))
        elif choices:
            steps.append(self.store.command("HDEL", self.keys.settings(conversation), *choices))
        await asyncio.gather(*steps)
        self.choices.changed(conversation)
