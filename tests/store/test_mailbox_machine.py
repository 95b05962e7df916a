"""Any sequence of steps on a real Valkey: nothing lost, nothing doubled, in order, and no conversation ever stuck."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gptbot.inbox.changes import Changes, Edit
from gptbot.inbox.claims import Claim, Entry, TurnLost
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import MOST_MERGED, Away, Mailbox
from gptbot.inbox.stops import Stops
from gptbot.inbox.store import Store

T = TypeVar("T")
CONVERSATIONS = [f"c{number}" for number in range(8)]
USERS = ("ann", "bob")
MOST_IN_LINE = 4


class Machine(RuleBasedStateMachine):
    """Gateways and two workers at two users' conversations, and what should be in the store."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._runner.get_loop()
        keys = BotKeys(f"test/{uuid.uuid4().hex[:12]}", b"p" * 32)
        self.store = self._run(_connect(self.url))
        self.workers = [Mailbox(self.store, keys, name, lease=0.0) for name in ("a", "b")]
        self.keys, self.changes, self.stops = keys, Changes(self.workers[0]), Stops(self.store, keys)
        self._run(self.workers[0].create_group())
        self.mail: dict[str, list[tuple[str, str]]] = {name: [] for name in CONVERSATIONS}
        """Event and text of what waits or is being answered. A text that begins with `help` is a command."""
        self.asides: dict[str, list[str]] = {name: [] for name in CONVERSATIONS}
        """Events of commands that are answered past a turn that waits for the model."""
        self.waits: dict[str, bool] = {}
        """Conversations whose turn waits for the model, to whether it may not be tried yet."""
        self.asked: set[str] = set()
        """Those of them of which the model said how long."""
        self.delivered: list[tuple[Mailbox, Entry]] = []
        self.turns: dict[str, tuple[Mailbox, Claim]] = {}
        self.shown: set[str] = set()
        """Conversations whose turn has begun to send."""
        self.lost: list[tuple[Mailbox, Claim]] = []
        self.count = 0

    def _run(self, step: Awaitable[T]) -> T:
        return self._runner.get_loop().run_until_complete(step)

    def _user(self, conversation: str) -> str:
        return USERS[CONVERSATIONS.index(conversation) // 6]

    def _end(self, conversation: str) -> tuple[Mailbox, Claim]:
        self.shown.discard(conversation)
        return self.turns.pop(conversation)

    def teardown(self) -> None:
        """Whatever was done: what is left can be answered to the end, in order."""
        for box, claim in list(self.turns.values()):
            self._run(box.retry(claim, 0, attempt=False))
        self.turns.clear()
        for _ in range(10 * sum(map(len, (*self.mail.values(), *self.asides.values())))):
            if not any(self.mail.values()) and not any(self.asides.values()):
                break
            self.due()
            self.receive(0, 8)
            self.take_over(0)
            while self.delivered:
                self.claim(3)
            for conversation in list(self.turns):
                self.done(conversation)
        assert not any(self.mail.values()), "a conversation is stuck"
        assert not any(self.asides.values()), "a command is stuck"
        while self.delivered:  # what is left of a conversation that has nothing more to answer
            self.claim(3)
        self.receive(0, 8)
        while self.delivered:
            self.claim(3)
        names = [name.decode() for name in self._run(_ask(self.store, "KEYS", f"{{{self.keys.bot}}}:*"))]
        kinds = {name.removeprefix(self.keys.prefix).partition(":")[0] for name in names}
        assert kinds <= {"seen", "runnable", "owner", "line", "stops", "in"}, kinds
        counters = self._run(_ask(self.store, "HKEYS", self.keys.line))
        assert set(counters) <= {b"#"}, "places in line are left over"
        assert self._run(_ask(self.store, "XLEN", self.keys.runnable)) == 0
        self._run(self.store.close())
        self._runner.close()

    @rule(
        conversation=st.sampled_from(CONVERSATIONS), again=st.booleans(),
        command=st.sampled_from((None, None, "help")), debounce=st.sampled_from((0.0, 30.0)),
    )  # fmt: skip
    def enqueue(self, conversation: str, again: bool, command: str | None, debounce: float) -> None:
        """A message, perhaps delivered twice, perhaps sent in one go with the one before."""
        self.count += 1
        event, text = f"event-{self.count}", f"{command or 'text'} {self.count}"
        envelope = Envelope(
            event=event, platform="web", user=self._user(conversation), text=text, address={}, direct=True,
            received=1.0, command=command,
        )  # fmt: skip
        continues = command is None and debounce > 0 and self._continues(conversation)
        assert self._run(self.workers[0].enqueue(conversation, envelope, debounce))
        if again:
            assert not self._run(self.workers[1].enqueue(conversation, envelope, debounce))
        if conversation in self.waits and command is not None:
            self.asides[conversation].append(event)
            return
        self.mail[conversation].append((event, text))
        if conversation in self.waits and conversation not in self.asked:
            self.waits[conversation] = False  # the next try need not wait any more
        if conversation in self.turns:
            self._was_taken_back(conversation, inside=continues, must=continues)

    def _continues(self, conversation: str) -> bool:
        """Whether a question now is of one go with all that a turn is for, of which nothing is shown."""
        mail, (_, claim) = self.mail[conversation], self.turns.get(conversation, (None, None))
        if claim is None or claim.aside or conversation in self.shown or not mail[-1][1].startswith("text"):
            return False
        return len(claim.messages) == len(mail) < MOST_MERGED

    @precondition(lambda self: any(self.mail.values()))
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """What waits gets the new text; what is being shown keeps the old."""
        conversation, place = self._any(data)
        event, _ = self.mail[conversation][place]
        self.count += 1
        text = f"text {self.count}"

        async def make() -> str:
            return text

        found = self._run(self.changes.edit(conversation, event, make, None))
        turn = self.turns.get(conversation)
        inside = turn is not None and not turn[1].aside and place < len(turn[1].messages)
        if inside and conversation in self.shown:
            assert found is Edit.LATE
            return
        assert found is Edit.REPLACED
        self.mail[conversation][place] = (event, text)
        if turn is not None:
            self._was_taken_back(conversation, inside=inside)

    @precondition(lambda self: any(self.mail.values()))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """What waits goes; an answer being shown ends, unless it is for other messages too."""
        conversation, place = self._any(data)
        event, _ = self.mail[conversation][place]
        dropped = self._run(self.changes.delete(conversation, [event]))
        turn = self.turns.get(conversation)
        inside = turn is not None and not turn[1].aside and place < len(turn[1].messages)
        if turn is not None and inside and conversation in self.shown and len(turn[1].messages) > 1:
            assert dropped == 0
            return
        assert dropped == 1
        del self.mail[conversation][place]
        if not self.mail[conversation]:
            self._waits_no_more(conversation)
        if turn is not None:
            self._was_taken_back(conversation, inside=inside, must=inside)

    def _any(self, data: st.DataObject) -> tuple[str, int]:
        conversation = data.draw(st.sampled_from([name for name, mail in self.mail.items() if mail]))
        return conversation, data.draw(st.integers(0, len(self.mail[conversation]) - 1))

    def _was_taken_back(self, conversation: str, *, inside: bool, must: bool = False) -> None:
        """The turn is the worker's no more, and the worker hears of it; an edit too many leaves it its turn."""
        _, claim = self.turns[conversation]
        owner = self._run(_ask(self.store, "HGET", self.keys.owner, conversation))
        if owner is not None:
            assert int(owner) == claim.token
            assert not must
            return
        assert inside
        assert claim.token in self._run(self.stops.heard())
        self.lost.append(self._end(conversation))

    @rule(worker=st.integers(0, 1), count=st.integers(1, 8))
    def receive(self, worker: int, count: int) -> None:
        """A worker is handed conversations."""
        box = self.workers[worker]
        self.delivered += [(box, entry) for entry in self._run(box.receive(count, 0.001))]

    @rule(worker=st.integers(0, 1))
    def take_over(self, worker: int) -> None:
        """The other worker died, as it seems: what was handed to it is this one's."""
        box = self.workers[worker]
        self.delivered += [(box, entry) for entry in self._run(box.take_over(8))]

    @precondition(lambda self: self.delivered)
    @rule(most=st.integers(1, 3))
    def claim(self, most: int) -> None:
        """A worker begins a turn: of the oldest messages, and of no others."""
        box, entry = self.delivered.pop(0)
        claim = self._run(box.claim(entry, most))
        if claim is None:
            return
        if entry.conversation in self.turns:
            self.lost.append(self._end(entry.conversation))
        said = [(message.event, message.text) for message in claim.messages]
        if claim.aside:
            assert [event for event, _ in said] == self.asides[entry.conversation][:1]
        else:
            assert not self.asides[entry.conversation], "what needs no model goes first"
            assert not self.waits.get(entry.conversation), "it was tried too early"
            assert said == self.mail[entry.conversation][: len(said)]
            self._waits_no_more(entry.conversation)
        self.turns[entry.conversation] = box, claim

    def _waits_no_more(self, conversation: str) -> None:
        self.waits.pop(conversation, None)
        self.asked.discard(conversation)

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """The first part of an answer is sent."""
        conversation = self._turn(data)
        box, claim = self.turns[conversation]
        claim.deadline = float("inf")
        self._run(box.begin(claim))
        self.shown.add(conversation)

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """An answer is whole."""
        self.done(self._turn(data))

    def done(self, conversation: str) -> None:
        box, claim = self._end(conversation)
        self._run(box.done(claim, [], 60, 10))
        self._answered(conversation, claim)

    def _answered(self, conversation: str, claim: Claim) -> None:
        del (self.asides if claim.aside else self.mail)[conversation][: len(claim.messages)]

    @precondition(lambda self: any(not claim.aside for _, claim in self.turns.values()))
    @rule(data=st.data(), asked=st.booleans())
    def wait(self, data: st.DataObject, asked: bool) -> None:
        """The model is away: what needs none goes past the turn."""
        names = sorted(name for name, (_, claim) in self.turns.items() if not claim.aside)
        conversation = data.draw(st.sampled_from(names))
        box, claim = self._end(conversation)
        self._run(box.retry(claim, 3600, model=Away.ASKED_TO_WAIT if asked else Away.FAILED))
        head, *others = self.mail[conversation]
        self.asides[conversation] += [event for event, text in others if text.startswith("help")]
        self.mail[conversation] = [head, *(item for item in others if not item[1].startswith("help"))]
        self.waits[conversation] = True
        if asked:
            self.asked.add(conversation)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), delay=st.sampled_from((0, 0, 3600)))
    def retry(self, data: st.DataObject, delay: int) -> None:
        """A turn fails."""
        box, claim = self._end(self._turn(data))
        self._run(box.retry(claim, delay))

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def bury(self, data: st.DataObject) -> None:
        """A turn is given up."""
        conversation = self._turn(data)
        box, claim = self._end(conversation)
        self._run(box.bury(claim, "reason", 60))
        self._run(_ask(self.store, "DEL", self.keys.dead))
        self._answered(conversation, claim)

    @rule()
    def due(self) -> None:
        """Time passes: what was put off is due."""
        for name in self._run(_ask(self.store, "ZRANGE", self.keys.later, 0, -1)):
            self._run(_ask(self.store, "ZADD", self.keys.later, 0, name))
        for conversation in self.waits:
            self._run(_ask(self.store, "HSET", self.keys.turn(conversation), "due", 0))
            self.waits[conversation] = False
        self._run(self.workers[0].promote())

    @precondition(lambda self: self.lost)
    @rule(step=st.sampled_from(("done", "retry", "bury", "begin", "replied")))
    def too_late(self, step: str) -> None:
        """Who lost a turn can do nothing any more."""
        box, claim = self.lost.pop()
        steps: dict[str, Any] = {
            "done": lambda: box.done(claim, [b"x"], 60, 10), "retry": lambda: box.retry(claim, 0),
            "bury": lambda: box.bury(claim, "late", 60), "begin": lambda: box.begin(claim),
            "replied": lambda: box.replied(claim, "late"),
        }  # fmt: skip
        with pytest.raises(TurnLost):
            self._run(steps[step]())

    def _turn(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.turns)))

    @invariant()
    def what_waits_has_one_place(self) -> None:
        """A conversation is in one place if it has mail, or something aside, and in none if it has none."""
        command, keys = partial(_ask, self.store), self.keys
        in_line, parked, put_off = self._run(
            _all(
                command("XRANGE", keys.runnable, "-", "+"), command("ZRANGE", keys.waiting, 0, -1),
                command("ZRANGE", keys.later, 0, -1),
            )
        )  # fmt: skip
        entries = [fields[1].decode() for _, fields in in_line]
        waiting = [member.decode().split()[2] for member in parked]
        later = [name.decode() for name in put_off]
        busy = sorted(name for name in self.mail if self.mail[name] or self.asides[name])
        assert sorted([*entries, *waiting, *later]) == busy
        for user in USERS:
            mine = [name for name in entries if self._user(name) == user]
            assert len(mine) <= MOST_IN_LINE
            if any(self._user(name) == user for name in waiting):
                assert len(mine) == MOST_IN_LINE, "a place is free and somebody waits for one"

    @invariant()
    def nothing_else_is_in_the_mailboxes(self) -> None:
        """What is not answered is there, in order, with its latest text; what was deleted is not."""
        for mail, items in zip(
            self.mail.values(),
            self._run(_all(*(_ask(self.store, "LRANGE", self.keys.mail(name), 0, -1) for name in self.mail))),
            strict=True,
        ):
            found = [Envelope.decode(item) for item in items]
            assert [(message.event, message.text) for message in found] == mail


async def _ask(store: Store, *command: Any) -> Any:
    return await store.command(*command)


async def _all(*steps: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*steps)


async def _connect(url: str) -> Store:
    return Store.connect(url)


def test_any_sequence_of_steps(store_url: str) -> None:
    Machine.url = store_url
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
