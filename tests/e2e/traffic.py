"""People who ask one question after another on Telegram, and what became of each question."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.e2e.fakes import ScriptedModel
from tests.fakes.telegram.remote import RemoteTelegram

WORDS = "of course it is, as I said before, and whoever asks again gets the same answer once more."
SPEED = 10
"""Words that the model says in a second: an answer is in the making whenever something happens to a pod."""
PATIENCE = 240.0
"""Seconds that a person waits for an answer, and gives up."""
_PEOPLE = itertools.count(100_000)
"""Ids of people: nobody reads in their chat what an earlier test was told, and takes it for an answer."""


@dataclass
class Traffic:
    """Questions, numbered over all people."""

    telegram: RemoteTelegram
    model: ScriptedModel
    asked: dict[int, int] = field(default_factory=dict[int, int])
    """Question to who asked."""
    answered: set[int] = field(default_factory=set[int])
    doubled: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    """At the end: questions that got more than one whole answer, and what their chats were told."""
    out_of_order: list[int] = field(default_factory=list[int])
    """At the end: people who got an answer before the one to a question that they asked earlier."""
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)
    _enough: bool = False

    async def until(self, count: int) -> None:
        """Wait until so many more questions than now are answered. Raises TimeoutError."""
        wanted = len(self.answered) + count
        async with asyncio.timeout(PATIENCE), self._more:
            await self._more.wait_for(lambda: len(self.answered) >= wanted)

    async def person(self) -> None:
        """Ask, wait for the answer, and ask again, until it is enough."""
        person = next(_PEOPLE)
        await self.telegram.add_user(person)
        while not self._enough:
            question = len(self.asked)
            self.asked[question] = person
            await self.model.say(_answer(question), match=f"Question {question}?", tokens_per_second=SPEED)
            await self.telegram.say(person, person, f"Question {question}?")
            await self.telegram.wait_for_messages(person, contains=_answer(question), timeout=PATIENCE)
            async with self._more:
                self.answered.add(question)
                self._more.notify_all()

    def stop(self) -> None:
        """Nobody asks anything else."""
        self._enough = True

    async def count(self) -> None:
        """See what got more than one answer, and who got answers in another order."""
        for person in set(self.asked.values()):
            told = [message.text for message in await self.telegram.messages(person, from_bot=True)]
            order = [each for text in told for each in self.asked if _answer(each) in text]
            if order != sorted(order):
                self.out_of_order.append(person)
            self.doubled |= {each: told for each in self.asked if sum(_answer(each) in text for text in told) > 1}


def _answer(question: int) -> str:
    return f"Answer {question}: {WORDS}"


@asynccontextmanager
async def traffic(url: str, model: ScriptedModel, people: int) -> AsyncGenerator[Traffic]:
    """Have people ask meanwhile. At the end all that was asked is answered, or AssertionError says what was not."""
    async with RemoteTelegram(url) as telegram:
        flow = Traffic(telegram, model)
        asking = [asyncio.create_task(flow.person()) for _ in range(people)]
        try:
            yield flow
            flow.stop()
            outcomes = await asyncio.gather(*asking, return_exceptions=True)
        finally:
            for task in asking:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*asking, return_exceptions=True)
        lost = sorted(flow.asked.keys() - flow.answered)
        await flow.count()
        told = {each: [message.text for message in await telegram.messages(flow.asked[each])] for each in lost}
        assert not lost, (
            f"of {len(flow.asked)} questions these have no answer: {lost}; {outcomes}; in their chats: {told}"
        )
