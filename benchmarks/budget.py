"""What a burst of strangers costs the owner of a bot with a small budget, and what keeping it costs a turn.

`budget_overrun_ratio`: tokens that the model read and wrote, by the budget of the day, after 100 new sessions wrote at
the same time to three workers. 1 is all of it and no more.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import Target, finish
from gptbot.embedded.valkey import EmbeddedValkey
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai.checks import count_tokens
from tests.hostile.crowd import crowd

SESSIONS, BUDGET = 100, 2000
ANSWER = "".join(f"Once upon a time there was kettle {number}. " for number in range(125))
"""1,000 words: so many tokens in the scripted model."""
RESERVATIONS = 2000
TARGETS = [Target("budget_overrun_ratio", 1.25)]
"""Beyond 1 is what the count without a tokenizer is wrong by."""


async def burst() -> float:
    """Tokens of the model by the budget."""
    with tempfile.TemporaryDirectory() as directory:
        async with EmbeddedValkey(Path(directory)) as valkey, FakeOpenAI() as model:
            model.say(ANSWER, times=None, tokens_per_second=2000)
            async with crowd(valkey.url, model, 3, limits={"tokensPerDay": BUDGET}) as people:
                if await people.write(SESSIONS) != SESSIONS:
                    raise RuntimeError("a new session was refused at the door")
                people.work(concurrency=50)
                await people.answered(120)
            return sum(request.tokens_sent + count_tokens(request.messages) for request in model.requests) / BUDGET


async def reservation() -> float:
    """Microseconds of the worker's CPU for what one answer reserves and gives back, many at a time."""
    from gptbot.conversation.spending import Spending
    from gptbot.llm.types import Usage
    from gptbot.safety.budgets import Account

    with tempfile.TemporaryDirectory() as directory:
        async with (
            EmbeddedValkey(Path(directory)) as valkey,
            FakeOpenAI() as model,
            crowd(valkey.url, model, 1) as people,
        ):
            bot, endpoint = people.bot, people.bot.model.endpoints[0]

            async def one(number: int) -> None:
                spending = Spending(bot, Account(f"c{number:020}", "1", (f"u{number:020}",)))
                await spending.before(endpoint, [{"role": "user", "content": "How are you?"}])
                spending.after(endpoint, [], Usage(10, 20), 60)
                await spending.settle()

            await asyncio.gather(*(one(number) for number in range(200)))
            started = time.process_time()
            for first in range(0, RESERVATIONS, 200):
                await asyncio.gather(*(one(first + number) for number in range(200)))
            return (time.process_time() - started) / RESERVATIONS * 1e6


def main(runs: int = 3) -> int:
    """Print, write, check."""
    print(f"{SESSIONS} new sessions at once, {BUDGET} tokens a day, three workers; the worst of {runs}")
    figures = {
        "budget_overrun_ratio": max(asyncio.run(burst()) for _ in range(runs)),
        "budget_client_us_per_turn": statistics.median(asyncio.run(reservation()) for _ in range(runs)),
    }
    return finish(figures, TARGETS)


if __name__ == "__main__":
    sys.exit(main())
