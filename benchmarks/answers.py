"""The model that comes along, asked 40 simple questions as the demo asks it: right, wrong, and answers that loop."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from benchmarks.results import Target, finish
from gptbot.conversation.context import prompt
from gptbot.conversation.system import system_prompt
from gptbot.embedded.model import EmbeddedModel
from gptbot.llm.client import ModelClient
from gptbot.llm.types import Endpoint
from gptbot.llm.words import LOOP
from gptbot.manifest import load

_HERE = Path(__file__).parent
_DEMO = _HERE.parent / "examples" / "demo.yaml"
TARGETS = [Target("embedded_answers_loops", 1), Target("embedded_answers_wrong", 10)]
_TIMES = 3
"""So often in a row the same words make a loop; a refrain has two."""
_WORDS = 4
"""Words of a round at least: `ha ha ha` is laughter."""
_LONGEST_ROUND = 60
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what a right answer has in it."""

    ask: str
    right: re.Pattern[str]

    def judge(self, answer: str) -> bool:
        """Whether the answer is right."""
        return self.right.search(answer) is not None


def questions(path: Path = _HERE / "questions.yaml") -> list[Question]:
    """All questions. Raises KeyError for one without a pattern."""
    listed: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Question(entry["ask"], re.compile(entry["right"], re.IGNORECASE | re.DOTALL)) for entry in listed]


def loops(answer: str) -> bool:
    """Whether the answer says the same words three times in a row, whatever the signs between them."""
    words = [word.lower() for word in _WORD.findall(answer)]
    for size in range(_WORDS, min(_LONGEST_ROUND, len(words) // _TIMES) + 1):
        same = 0
        for place in range(size, len(words)):
            same = same + 1 if words[place] == words[place - size] else 0
            if same == size * (_TIMES - 1):
                return True
    return False


@dataclass(slots=True)
class Count:
    """What the answers came to."""

    right: int = 0
    wrong: int = 0
    loops: int = 0

    def add(self, question: Question, answer: str, *, ended: bool = False) -> None:
        """Count an answer, and print one that is not as it should be.

        `ended`: it was ended because it went in a circle, and what it said again is cut out of it.
        """
        right, loop = question.judge(answer), ended or loops(answer)
        self.right += right
        self.wrong += not right
        self.loops += loop
        if loop or not right:
            print(f"  {'loops' if loop else 'wrong'}: {question.ask} {' '.join(answer.split())[:160]}", flush=True)


async def ask(asked: Sequence[Question]) -> Count:
    """Ask the demo's model with the demo's prompt, each question in a conversation of its own."""
    (config,) = load([_DEMO])
    system, count = system_prompt(config, {}), Count()
    async with EmbeddedModel(parallel=1) as model, aiohttp.ClientSession() as http:
        client = ModelClient(http, [Endpoint(model.base_url, None, model.model, {}, 300.0, 300.0)])
        for question in asked:
            answer = await client.stream(prompt(system, (), [question.ask]), lambda _: None)
            count.add(question, answer.text, ended=answer.finish_reason == LOOP)
    return count


def main(_: int = 5) -> int:
    """Print, write, check. Once: the model answers the same each time."""
    asked = questions()
    print(f"the embedded model, {len(asked)} questions", flush=True)
    count = asyncio.run(ask(asked))
    return finish(
        {
            "embedded_answers_right": count.right,
            "embedded_answers_wrong": count.wrong,
            "embedded_answers_loops": count.loops,
        },
        TARGETS,
    )


if __name__ == "__main__":
    sys.exit(main())
