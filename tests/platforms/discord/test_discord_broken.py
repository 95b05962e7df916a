"""Events and answers of Discord that are broken, deep or of other types: each is left out, and the next comes in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import orjson
import pytest
import structlog.testing
from hypothesis import given, settings

from gptbot.platforms.discord import commands
from gptbot.platforms.discord.inflow import Inflow
from gptbot.platforms.discord.mapping import Directory, from_edit, from_interaction, from_message
from gptbot.platforms.discord.rest import Refused, Rest
from gptbot.platforms.errors import FloodWait, NotSent, OutcomeUnknown
from gptbot.platforms.inbound import Inbound
from tests.hostile.mutations import mutated
from tests.platforms.discord.conftest import COMMANDS, NotingIntake, Scene, Start, say, texts

_DIRECTORY = Directory("99", "bot")
_PERSON = {"id": "11", "username": "ada", "global_name": "Ada"}
_MESSAGE: dict[str, Any] = {
    "id": "1200000000000000001", "channel_id": "5", "guild_id": "7", "author": _PERSON, "type": 19,
    "content": "<@99> hello <@!12> SECRET", "mentions": [{"id": "99"}], "mention_roles": ["3"],
    "member": {"roles": ["3"]}, "edited_timestamp": "2026-01-01T00:00:00Z",
    "referenced_message": {"id": "4", "author": {"id": "99"}, "content": "an answer", "attachments": []},
    "attachments": [{"id": "8", "filename": "a.png", "content_type": "image/png", "size": 9, "url": "http://x/a"}],
    "message_snapshots": [{"message": {"content": "forwarded", "attachments": []}}],
}  # fmt: skip
_SLASH: dict[str, Any] = {
    "id": "1200000000000000002", "application_id": "98", "type": 2, "token": "t", "channel_id": "5", "guild_id": "7",
    "data": {"name": "persona", "type": 1, "options": [{"name": "name", "type": 3, "value": "chef"}]},
    "member": {"user": _PERSON, "roles": [], "permissions": "8"}, "locale": "ru", "channel": {"id": "5", "type": 11},
    "app_permissions": "0",
}  # fmt: skip
_BUTTON = _SLASH | {
    "type": 3, "data": {"component_type": 2, "custom_id": "retry"}, "message": {"id": "4", "flags": 0},
}  # fmt: skip
_READERS: dict[str, tuple[Any, Callable[[Any], Inbound | None]]] = {
    "message": (_MESSAGE, lambda data: from_message(data, _DIRECTORY)),
    "edit": (_MESSAGE, lambda data: from_edit(data, _DIRECTORY)),
    "slash": (_SLASH, lambda data: from_interaction(commands.in_order(data, COMMANDS))),
    "button": (_BUTTON, from_interaction),
}


@pytest.mark.parametrize("name", _READERS)
def test_whatever_an_event_holds_the_inflow_goes_on(name: str) -> None:
    sample, reader = _READERS[name]
    assert reader(sample) is not None

    @settings(max_examples=60)
    @given(mutated(sample))
    def goes_on(data: Any) -> None:
        asyncio.run(hand_in(data))

    async def hand_in(data: Any) -> None:
        intake, finished = NotingIntake(), list[int]()

        async def understand() -> Inbound | None:
            reader(data)
            return None

        async def good() -> Inbound | None:
            return reader(sample)

        async def taken(_: Inbound) -> None:
            return

        async with asyncio.TaskGroup() as tasks:
            inflow = Inflow(intake, tasks, lambda _: None, taken)
            inflow.put("5", understand, lambda: finished.append(1))
            inflow.put("5", good, lambda: finished.append(2))
        assert finished == [1, 2]
        assert len(intake.taken) + len(intake.edited) == 1

    goes_on()


def deep(levels: int) -> orjson.Fragment:
    return orjson.Fragment(b"[" * levels + b"]" * levels)


def message(scene: Scene, **changes: Any) -> dict[str, Any]:
    """A message of the scene's person, with something that does not belong there."""
    number = str((int(time.time() * 1000) - 1_420_070_400_000) << 22)
    sample = _MESSAGE | {"id": number, "channel_id": scene.channel, "guild_id": scene.guild}
    return sample | {"author": _PERSON | {"id": scene.user}, "mentions": [{"id": scene.bot}]} | changes


_LONE = orjson.Fragment(rb'"\ud800 SECRET"')
_HUGE = orjson.Fragment(b"9" * 4000)
_BROKEN: dict[str, Callable[[Scene], Any]] = {
    "600 levels": lambda scene: message(scene, attachments=deep(600)),
    "5,000 levels": lambda scene: message(scene, member=deep(5000)),
    "100,000 levels": lambda scene: message(scene, content=deep(100_000)),
    "a lone surrogate as an id": lambda scene: message(scene, id=_LONE),
    "a huge number": lambda scene: message(scene, id=_HUGE, type=_HUGE),
    "an id of letters": lambda scene: message(scene, id="SECRET"),
    "a list as a channel": lambda scene: message(scene, channel_id=[["SECRET"]]),
    "a text as an author": lambda scene: message(scene, author="SECRET"),
    "numbers as mentions": lambda scene: message(scene, mentions=[1, None]),
    "a text as files": lambda scene: message(scene, attachments="SECRET"),
    "no object": lambda _: ["SECRET"],
    "nothing": lambda _: None,
}


async def test_after_a_broken_event_the_next_message_comes_in(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    [session] = scene.discord.gateway.sessions.values()
    with structlog.testing.capture_logs() as lines:
        for number, (name, make) in enumerate(_BROKEN.items()):
            for event in ("MESSAGE_CREATE", "MESSAGE_UPDATE", "INTERACTION_CREATE", "GUILD_ROLE_CREATE"):
                session.dispatch(event, make(scene))
            await say(scene, f"good {number}")
            await gateway.intake.until(lambda wanted=f"good {number}": wanted in texts(gateway.intake))
            assert not gateway.task.done(), name
    stats = await scene.discord.stats()
    assert (stats["identifies"][scene.bot], stats["resumes"][scene.bot]) == (1, 0), "it stayed connected"
    said = " ".join(str(line.get("event")) + str(line.get("reason")) for line in lines)
    assert "left out" in said
    assert "SECRET" not in said


async def test_broken_events_are_done_with(scene: Scene, start: Start) -> None:
    """What was left out is not sent again to a connection that goes on."""
    gateway = start()
    await gateway.connected()
    [session] = scene.discord.gateway.sessions.values()
    with structlog.testing.capture_logs() as lines:
        for make in _BROKEN.values():
            session.dispatch("MESSAGE_CREATE", make(scene))
        await say(scene, "before")
        await gateway.intake.until(lambda: "before" in texts(gateway.intake))
        failed = len([line for line in lines if line["log_level"] == "error"])
        await scene.discord.drop_sockets()
        await say(scene, "after")
        await gateway.intake.until(lambda: "after" in texts(gateway.intake))
        assert len([line for line in lines if line["log_level"] == "error"]) == failed


_ANSWERS: Sequence[str] = (
    "", "{", "[" * 600, "[" * 600 + "]" * 600, "[" * 100_000 + "]" * 100_000, '"\\ud800"', "1" * 5000, "null", "\x00",
)  # fmt: skip


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
async def test_answers_that_cannot_be_read(scene: Scene, status: int) -> None:
    wrong = [[], "text", 1, {"code": [], "message": {}, "retry_after": [], "global": "x"}]
    wrong += [{"retry_after": number} for number in ("nan", "inf", -1, 1e308)]
    waits = list[float]()
    async with aiohttp.ClientSession() as http:
        for body in [*_ANSWERS, *wrong]:
            rest = Rest(http, scene.discord.url, scene.token)
            await scene.discord.fail("*", status=status, body=body)
            try:
                await rest.request("GET", "/gateway/bot", route=("gateway", ""))
            except (OutcomeUnknown, Refused, NotSent):
                pass
            except FloodWait as flood:
                waits.append(flood.retry_after)
    assert all(0 <= wait <= 86_400 for wait in waits)
    assert bool(waits) == (status == 429)
