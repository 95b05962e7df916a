"""30 people write at once: when each has the whole answer, and how many calls of the platform that takes.

Gateway, worker, store, model and platform are processes; the fakes have the platforms' rate limits.
"""

from __future__ import annotations

import asyncio
import statistics
import sys

from benchmarks.results import Target, finish
from benchmarks.scene import DISCORD_TOKEN, fake, question, running, scene
from gptbot.embedded.child import free_port
from tests.fakes.discord.remote import RemoteDiscord
from tests.fakes.telegram.remote import RemoteTelegram

USERS = 30
WORDS = 60
RATE = 50.0  # words a second
IDEAL = WORDS / RATE
"""Seconds that the model takes for an answer."""
PLATFORMS = ("discord", "telegram")
TARGETS = [
    *(Target(f"users30_p50_ratio_{name}", 1.1) for name in PLATFORMS),
    *(Target(f"platform_calls_per_answer_{name}", 4) for name in PLATFORMS),
]
_SENDS = (
    "sendChatAction", "sendMessage", "sendRichMessage", "sendMessageDraft", "sendRichMessageDraft", "editMessageText",
)  # fmt: skip


def _checked(number: int, texts: list[str]) -> None:
    last = f"w{WORDS - 6}"
    if len(texts) != 1 or f"user{number} " not in texts[0] or not texts[0].endswith(last):
        raise RuntimeError(f"a person got {len(texts)} answers, or not the whole of one")


async def telegram() -> tuple[list[float], float]:
    """Seconds to each whole answer, and calls an answer. Each person writes in private."""
    async with (
        scene(RATE) as world,
        fake("tests.fakes.telegram", f"--port={free_port()}") as line,
        RemoteTelegram(line.split()[-1]) as people,
    ):
        for number in range(1, USERS + 1):
            await people.add_user(number)
        async with running(world, {"telegram": {"apiBaseUrl": people.url}}):
            said = await asyncio.gather(
                *(people.say(number, number, question(WORDS, f"user{number}")) for number in range(1, USERS + 1))
            )
            await asyncio.sleep(IDEAL)
            await world.drained(60)
            calls = sum([len(await people.calls(method)) for method in _SENDS])
            times: list[float] = []
            for message in said:
                answers = await people.messages(message.chat_id, from_bot=True)
                _checked(message.chat_id, [answer.text for answer in answers])
                times.append(answers[0].versions[-1].at - message.versions[0].at)
    return times, calls / USERS


async def discord() -> tuple[list[float], float]:
    """Seconds to each whole answer, and calls an answer. Each person writes in a channel of their own."""
    async with (
        scene(RATE) as world,
        fake("tests.fakes.discord", f"--port={free_port()}", f"--token={DISCORD_TOKEN}") as line,
        RemoteDiscord(line.split()[-1].removesuffix("/control/")) as people,
    ):
        guild = await people.add_guild()
        users = [await people.add_user(f"Ann{number}") for number in range(USERS)]
        channels = [await people.add_channel(guild, f"channel{number}") for number in range(USERS)]
        async with running(world, {"discord": {"apiBaseUrl": people.url}}):
            before = len(await people.calls())
            await asyncio.gather(
                *(
                    people.say(channel, user, question(WORDS, f"user{number}"), mention=True)
                    for number, (channel, user) in enumerate(zip(channels, users, strict=True))
                )
            )
            await asyncio.sleep(IDEAL)
            await world.drained(60)
            calls = len(await people.calls()) - before
            times: list[float] = []
            for number, channel in enumerate(channels):
                asked, *answers = await people.messages(channel)
                _checked(number, [answer["content"] for answer in answers])
                last = answers[0]["edits"][-1][0] if answers[0]["edits"] else answers[0]["at"]
                times.append(last - asked["at"])
    return times, calls / USERS


def main(runs: int = 5) -> int:
    """Print, write, check."""
    print(f"{USERS} people at once, answers of {WORDS} words at {RATE:g} words/s, median of {runs}")
    figures: dict[str, float] = {}
    for name, measure in (("discord", discord), ("telegram", telegram)):
        found = [asyncio.run(measure()) for _ in range(runs)]
        figures[f"users30_p50_ratio_{name}"] = statistics.median(statistics.median(times) for times, _ in found) / IDEAL
        figures[f"users30_worst_ratio_{name}"] = statistics.median(max(times) for times, _ in found) / IDEAL
        figures[f"platform_calls_per_answer_{name}"] = statistics.median(calls for _, calls in found)
    return finish(figures, TARGETS)


if __name__ == "__main__":
    sys.exit(main())
