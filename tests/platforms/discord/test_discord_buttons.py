"""Buttons and answers for one user alone: shown, pressed, acknowledged once and in time, over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot.locales import texts
from gptbot.platforms.base import Button
from gptbot.platforms.discord import interactions
from gptbot.platforms.discord.limits import EPHEMERAL
from gptbot.platforms.discord.rendering import rows
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.errors import Rejected
from gptbot.platforms.inbound import Inbound, Verdict
from tests.fakes.discord.state import LOADING
from tests.platforms.discord.conftest import Running, Scene, Start
from tests.platforms.discord.test_discord_slash import registered

STOP, RETRY = Button("Stop", "stop"), Button("Regenerate", "retry")
CONTINUE = Button("Continue", f"continue {'A' * 11}.{10**19}")


def labels(message: dict[str, Any]) -> list[str]:
    return [button["label"] for row in message["components"] for button in row["components"]]


async def answer(scene: Scene, sender: DiscordSender, *buttons: Button, channel: str | None = None) -> str:
    """The bot's message with these buttons."""
    address = {"channel": channel or scene.channel}
    return await sender.send(address, "text", nonce="n", first=True, final=False, buttons=buttons)


async def pressed(scene: Scene, gateway: Running, message: str, button: Button, channel: str | None = None) -> Inbound:
    """The press as it came in."""
    await gateway.connected()
    await scene.discord.press(channel or scene.channel, scene.user, message, button.command, locale="ru")
    return (await gateway.intake.next())[-1]


async def test_buttons_come_change_and_go_with_the_text(scene: Scene, sender: DiscordSender) -> None:
    message = await answer(scene, sender, STOP)
    [shown] = await scene.discord.answers(scene.channel)
    assert labels(shown) == ["Stop"]
    await sender.edit({"channel": scene.channel}, message, "text", final=True, buttons=[RETRY])
    assert labels((await scene.discord.answers(scene.channel))[0]) == ["Regenerate"]
    await sender.edit({"channel": scene.channel}, message, "text", final=True)
    assert labels((await scene.discord.answers(scene.channel))[0]) == []


async def test_a_message_sent_again_gets_the_buttons_of_now(scene: Scene, sender: DiscordSender) -> None:
    for button in (STOP, RETRY):
        await answer(scene, sender, button)
    [shown] = await scene.discord.answers(scene.channel)
    assert labels(shown) == ["Regenerate"]


async def test_more_buttons_than_fit_in_a_row_take_rows_and_discord_takes_them(
    scene: Scene, sender: DiscordSender
) -> None:
    await answer(scene, sender, *(Button("x" * 200, f"persona {number}") for number in range(27)))
    [shown] = await scene.discord.answers(scene.channel)
    assert [len(row["components"]) for row in shown["components"]] == [5] * 5
    assert rows([Button("x", "y" * 101)]) == []


async def test_stop_is_acknowledged_without_a_trace_and_comes_in(
    scene: Scene, start: Start, sender: DiscordSender
) -> None:
    message = await answer(scene, sender, STOP)
    inbound = await pressed(scene, start(), message, STOP)
    assert (inbound.text, inbound.user, inbound.conversation) == ("!stop", scene.user, scene.channel)
    assert (inbound.addressed, inbound.answer_due, inbound.language) == (True, False, "ru")
    [shown] = await scene.discord.answers(scene.channel)
    assert labels(shown) == ["Stop"]
    assert [call["status"] for call in await scene.discord.calls("callback")] == [204]


async def test_the_buttons_of_what_is_over_are_taken_away_and_the_text_stays(
    scene: Scene, start: Start, sender: DiscordSender
) -> None:
    message = await answer(scene, sender, STOP)
    inbound = await pressed(scene, start(), message, STOP)
    for _ in range(2):
        await sender.clear(inbound.address)
        [shown] = await scene.discord.answers(scene.channel)
        assert (shown["content"], labels(shown)) == ("text", [])
    await sender.clear({"channel": scene.channel, "message": message})  # nobody pressed anything


@pytest.mark.parametrize("button", [RETRY, CONTINUE])
async def test_what_makes_another_answer_loses_its_button_and_that_is_a_message(
    scene: Scene, start: Start, sender: DiscordSender, button: Button
) -> None:
    message = await answer(scene, sender, button)
    inbound = await pressed(scene, start(), message, button)
    await sender.send(inbound.address, "another", nonce="n2", first=True, final=True, buttons=[RETRY])
    old, new = await scene.discord.answers(scene.channel)
    assert (old["content"], labels(old), new["content"], labels(new)) == ("text", [], "another", ["Regenerate"])
    assert (new["reply_to"], new["interaction"]) == (message, None)


async def test_where_the_bot_may_not_write_a_button_is_answered_by_its_token(
    scene: Scene, start: Start, sender: DiscordSender
) -> None:
    message = await answer(scene, sender, RETRY)
    await scene.discord.deny(scene.channel, "send")
    inbound = await pressed(scene, start(), message, RETRY)
    sent = await sender.send(inbound.address, "another", nonce="n2", first=True, final=False)
    await sender.edit(inbound.address, sent, "another one", final=True)
    assert [m["content"] for m in await scene.discord.answers(scene.channel)] == ["text", "another one"]


async def test_a_private_reply_to_a_button_is_seen_by_its_presser_alone(
    scene: Scene, start: Start, sender: DiscordSender
) -> None:
    message = await answer(scene, sender, STOP)
    gateway = start()
    gateway.intake.verdict = Verdict(private=True)
    inbound = await pressed(scene, gateway, message, STOP)
    sent = await sender.send(inbound.address, "nothing to stop", nonce="n2", first=True, final=False)
    await sender.edit(inbound.address, sent, "nothing", final=True)
    _, private = await scene.discord.answers(scene.channel)
    assert (private["content"], bool(private["flags"] & EPHEMERAL)) == ("nothing", True)


async def test_a_private_command_is_deferred_so_in_all_its_parts(
    scene: Scene, start: Start, sender: DiscordSender
) -> None:
    gateway = start()
    gateway.intake.verdict = Verdict(private=True)
    await registered(scene, gateway)
    await scene.discord.slash(scene.channel, scene.user, "help")
    [inbound] = await gateway.intake.next()
    [waiting] = await scene.discord.answers(scene.channel)
    assert waiting["flags"] & (EPHEMERAL | LOADING) == EPHEMERAL | LOADING
    await sender.send(inbound.address, "one", nonce="n1", first=True, final=True)
    await sender.send(inbound.address, "two", nonce="n2", first=False, final=True)
    parts = await scene.discord.answers(scene.channel)
    assert [(m["content"], bool(m["flags"] & EPHEMERAL)) for m in parts] == [("one", True), ("two", True)]
    await scene.discord.configure(interaction_lifetime=0.0)
    with pytest.raises(Rejected):  # rather than shown to all
        await sender.send(inbound.address, "three", nonce="n3", first=False, final=True)


@pytest.mark.parametrize("button", [False, True])
async def test_a_refusal_is_told_to_the_caller_alone_at_once(
    scene: Scene, start: Start, sender: DiscordSender, button: bool
) -> None:
    message = await answer(scene, sender, RETRY)
    gateway = start()
    gateway.intake.verdict = Verdict("limit-user", {"seconds": 7}, private=True)
    await registered(scene, gateway)
    if button:
        await scene.discord.press(scene.channel, scene.user, message, "retry", locale="ru")
    else:
        await scene.discord.slash(scene.channel, scene.user, "help", locale="ru")
    old, told = await scene.discord.wait_for_answers(scene.channel, 2)
    assert told["content"] == texts("ru")("limit-user", seconds=7)
    assert told["flags"] & EPHEMERAL
    assert labels(old) == ["Regenerate"]
    assert gateway.intake.taken == []


@pytest.mark.parametrize("button", [False, True])
async def test_a_refusal_that_comes_late_is_told_all_the_same(
    scene: Scene, start: Start, sender: DiscordSender, monkeypatch: pytest.MonkeyPatch, button: bool
) -> None:
    monkeypatch.setattr(interactions, "_VERDICT_WAIT", 0.0)
    message = await answer(scene, sender, STOP)
    gateway = start()
    gateway.intake.verdict = Verdict("access-denied", private=True)
    await registered(scene, gateway)
    gateway.intake.go_away()
    if button:
        await scene.discord.press(scene.channel, scene.user, message, "stop")
    else:
        await scene.discord.slash(scene.channel, scene.user, "help")
    await gateway.reports.until(lambda connected, message: "store" in message)

    async def acknowledged() -> bool:
        return bool(await scene.discord.calls("callback"))

    await scene.discord.wait_for(acknowledged)
    gateway.intake.come_back()

    async def told() -> bool:
        return any(m["content"] == texts("en")("access-denied") for m in await scene.discord.answers(scene.channel))

    await scene.discord.wait_for(told)
    assert gateway.intake.taken == []


@pytest.mark.parametrize("direct", [False, True], ids=["thread", "direct"])
async def test_a_button_speaks_for_the_conversation_it_is_in(
    scene: Scene, start: Start, sender: DiscordSender, direct: bool
) -> None:
    place = await (scene.discord.open_dm(scene.user) if direct else scene.discord.add_thread(scene.channel))
    message = await answer(scene, sender, RETRY, channel=place)
    inbound = await pressed(scene, start(), message, RETRY, place)
    assert (inbound.conversation, inbound.direct) == (place, direct)
    assert (f"channel:{scene.channel}" in inbound.principals) is not direct, "lists name the thread's channel too"
    await sender.send(inbound.address, "another", nonce="n2", first=True, final=True)
    assert [m["content"] for m in await scene.discord.answers(place)] == ["text", "another"]
