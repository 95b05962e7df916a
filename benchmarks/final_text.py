"""From the model's last token to the whole answer in the chat, over the wire of the fake Bot API server."""

from __future__ import annotations

import asyncio
import statistics
import sys

import aiohttp

from benchmarks.results import Target, finish
from benchmarks.scene import fake, percentile, question, running, scene
from gptbot.embedded.child import free_port
from gptbot.platforms.telegram.limits import CHAT_INTERVAL
from tests.fakes.telegram.remote import RemoteTelegram

USERS = 40
RATE = 20.0  # tokens a second
APART = 0.35
"""Seconds between two people's messages: few are answered at once, so that nobody waits for another."""
TARGETS = [Target("last_token_to_final_text_ms_p50", 20)]


async def _last_tokens(model: str) -> dict[str, float]:
    """Question to the time of its answer's last token, by the model's clock."""
    async with aiohttp.ClientSession() as http, http.get(f"{model.removesuffix('/v1')}/control/requests") as answer:
        requests = (await answer.json())["requests"]
    return {request["body"]["messages"][-1]["content"]: request["last_token_at"] for request in requests}


async def once() -> list[float]:
    """Milliseconds from the last token, or from when the pace of edits allowed one, to the final text."""
    async with (
        scene(RATE) as world,
        fake("tests.fakes.telegram", f"--port={free_port()}") as line,
        RemoteTelegram(line.split()[-1]) as people,
    ):
        for number in range(1, USERS + 1):
            await people.add_user(number)
        async with running(world, {"telegram": {"apiBaseUrl": people.url}}):
            texts = {number: question(30 + number, f"user{number}") for number in range(1, USERS + 1)}
            for number, text in texts.items():
                await people.say(number, number, text)
                await asyncio.sleep(APART)
            await world.drained(60)
            ended, late = await _last_tokens(world.model), list[float]()
            for number, text in texts.items():
                (answer,) = await people.messages(number, from_bot=True)
                if not answer.text.endswith(text):
                    raise RuntimeError("an answer is not whole")
                shown = answer.versions[-1].at
                waited = shown - ended[text]
                if len(answer.versions) > 1 and (beyond := shown - answer.versions[-2].at - CHAT_INTERVAL) > 0:
                    waited = min(waited, beyond)
                late.append(waited * 1000)
    return late


def main(runs: int = 5) -> int:
    """Print, write, check."""
    print(f"last token to final text, {USERS} answers on Telegram, median of {runs}")
    found = [asyncio.run(once()) for _ in range(runs)]
    figures = {
        f"last_token_to_final_text_ms_p{percent}": statistics.median(percentile(each, percent) for each in found)
        for percent in (50, 95)
    }
    return finish(figures, TARGETS)


if __name__ == "__main__":
    sys.exit(main())
