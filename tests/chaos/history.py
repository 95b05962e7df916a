"""What is known of a question that was not answered, for finding out where it went."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from gptbot.inbox.store import Store
from tests.chaos.people import Person
from tests.chaos.tally import Answer, Trouble
from tests.fakes.openai import FakeOpenAI

_NEAR = 15.0


async def history(name: str, person: Person, model: FakeOpenAI, store_url: str, troubles: Sequence[Trouble]) -> str:
    """Lines of text: when it was asked, the troubles near it, what the model was asked, where in the store it lies."""
    asked = person.times[name]
    lines = [f"{name} on {person.platform}, asked at {_clock(asked)}"]
    lines += [
        f"  trouble: {trouble.what} {_clock(trouble.begin)} to {_clock(trouble.end)}"
        for trouble in troubles if trouble.begin - _NEAR < asked < trouble.end + _NEAR
    ]  # fmt: skip
    lines += [
        f"  model: {request.outcome}, status {request.status}, {request.tokens_sent} tokens"
        for request in model.requests if name in request.asked
    ]  # fmt: skip
    lines += [f"  shown: {_clock(answer.at)} {answer.text[:120]!r}" for answer in _around(name, person)]
    async with Store.connect(store_url) as store:
        lines += [f"  store: {place}" for place in await _places(name, store)]
    return "\n".join(lines)


def _around(name: str, person: Person) -> Iterator[Answer]:
    """The bot's messages from shortly before until shortly after the question's place."""
    place = person.asked.index(name)
    near = person.asked[max(0, place - 2) : place + 3]
    for answer in reversed(list(person.answers())):
        if any(other in answer.text for other in near) or not answer.text.strip():
            yield answer


async def _places(name: str, store: Store) -> list[str]:
    """Keys of the store that hold it, by what kind of key they are."""
    found: list[str] = []
    cursor = b"0"
    while True:
        cursor, keys = await store.command("SCAN", cursor, "COUNT", 1000)
        for key in keys:
            kind = key.decode().partition("}:")[2].partition(":")[0]
            match await store.command("TYPE", key):
                case b"list":
                    items = await store.command("LRANGE", key, 0, -1)
                case b"hash":
                    items = await store.command("HVALS", key)
                case b"stream":
                    items = [value for _, fields in await store.command("XRANGE", key, "-", "+") for value in fields]
                case _:
                    continue
            found += [f"{kind}: {item.decode(errors='replace')[:200]}" for item in items if name.encode() in item]
        if cursor == b"0":
            break
    waiting = [f"{await store.command('XLEN', key)} in {kind}" for kind, key in await _queues(store)]
    return [*found, *waiting]


async def _queues(store: Store) -> list[tuple[str, bytes]]:
    keys = [key for end in ("runnable", "dead") for key in await store.command("KEYS", f"*:{end}")]
    return [(key.decode().rpartition(":")[2], key) for key in keys]


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment)) + f"{moment % 1:.3f}"[1:]
