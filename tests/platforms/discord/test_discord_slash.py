"""Slash commands: registered once, deferred in time, answered by the interaction's token for as long as it is good."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot.platforms.base import CommandInfo
from gptbot.platforms.discord import commands
from gptbot.platforms.discord.limits import EPOCH_MS
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.errors import MessageGone, Rejected
from gptbot.platforms.inbound import Inbound
from tests.fakes.discord.state import LOADING
from tests.platforms.discord.conftest import COMMANDS, Running, Scene, Start


async def registered(scene: Scene, gateway: Running) -> None:
    await gateway.connected()

    async def there() -> bool:
        return len(await scene.discord.commands()) == len(COMMANDS)

    await scene.discord.wait_for(there)


async def asked(scene: Scene, gateway: Running, *, channel: str | None = None) -> Inbound:
    """A slash command that came in."""
    await registered(scene, gateway)
    interaction = await scene.discord.slash(channel or scene.channel, scene.user, "persona", "chef", locale="ru")
    [inbound] = await gateway.intake.next()
    assert inbound.event == interaction
    return inbound


async def send(sender: DiscordSender, inbound: Inbound, text: str = "answer", **more: Any) -> str:
    how: dict[str, Any] = {"nonce": "n1", "first": True, "final": True, **more}
    return await sender.send(inbound.address, text, **how)


async def test_commands_are_registered_with_languages_and_argument(scene: Scene, start: Start) -> None:
    await registered(scene, start())
    helping, persona, settings = await scene.discord.commands()
    assert (helping["name"], helping["description"]) == ("help", "What I can do")
    assert helping["description_localizations"] == {"ru": "Что я умею"}
    assert helping["contexts"] == [0, 1]
    assert helping["default_member_permissions"] is None
    [option] = persona["options"]
    assert (option["type"], option["name"], option.get("required", False), option["autocomplete"]) == (
        3, "name", False, True,
    )  # fmt: skip
    assert (settings["contexts"], settings["default_member_permissions"]) == ([0], str(1 << 5))
    what, number = settings["options"]
    assert what["required"]
    assert what["choices"] == [
        {"name": "When to answer", "name_localizations": {"ru": "Когда отвечать"}, "value": "answer"}
    ]
    assert (number["type"], number["min_value"], number["max_value"]) == (4, 1, 500)


async def test_what_is_typed_is_completed_in_the_language_of_who_types(scene: Scene, start: Start) -> None:
    gateway = start()
    await registered(scene, gateway)
    typed = await scene.discord.type(scene.channel, scene.user, "persona", "name", "po", locale="ru")
    await scene.discord.wait_for(lambda: scene.discord.choices(typed))
    assert await scene.discord.choices(typed) == [{"name": "poet (ru)", "value": "poet"}]
    assert gateway.intake.taken == []


async def test_options_come_in_the_order_of_the_arguments_and_administrators_are_known(
    scene: Scene, start: Start
) -> None:
    gateway = start()
    await registered(scene, gateway)
    options = {"number": 7, "what": "answer"}
    with pytest.raises(ValueError, match="not shown to this user"):
        await scene.discord.slash(scene.channel, scene.user, "settings", options)
    await scene.discord.give_role(scene.guild, scene.user, "boss", 1 << 5)
    await scene.discord.slash(scene.channel, scene.user, "settings", options)
    [inbound] = await gateway.intake.next()
    assert inbound.text == "/settings answer 7"
    assert inbound.administrator is not None
    assert await inbound.administrator()
    await scene.discord.slash(scene.channel, await scene.discord.add_user("Bob"), "help")
    inbound = (await gateway.intake.next(2))[-1]
    assert inbound.administrator is not None
    assert not await inbound.administrator()


async def test_administrators_are_known_by_their_roles_also_when_the_guild_was_not_told_of(
    scene: Scene, start: Start
) -> None:
    owner = await scene.discord.add_user("Olga")
    await scene.discord.own_guild(scene.guild, owner)
    boss = await scene.discord.add_user("Bea")
    gateway = start()
    await gateway.connected()
    await scene.discord.give_role(scene.guild, boss, "boss", 1 << 3)
    known: list[bool] = []
    for user in (scene.user, boss, owner):
        await scene.discord.say(scene.channel, user, "hi", mention=True)
        inbound = (await gateway.intake.next(len(known) + 1))[-1]
        assert inbound.administrator is not None
        known.append(await inbound.administrator())
    assert known == [False, True, True]
    await gateway.stop()  # the next one resumes, and is told of no guild
    gateway = start()
    await gateway.connected()
    await scene.discord.say(scene.channel, boss, "hi", mention=True)
    [inbound] = await gateway.intake.next()
    assert inbound.administrator is not None
    assert await inbound.administrator()


async def test_commands_are_written_only_when_they_changed(scene: Scene, start: Start) -> None:
    for _ in range(2):
        gateway = start()
        await registered(scene, gateway)
        await gateway.stop()
    calls = (await scene.discord.stats())["calls"]
    assert (calls["get_commands"], calls["put_commands"]) == (2, 1)


async def test_commands_that_are_refused_leave_the_bot_running(scene: Scene, start: Start) -> None:
    body = {"message": "Invalid Form Body", "code": 50035}
    await scene.discord.fail("put_commands", status=400, body=body)
    gateway = start()
    await gateway.reports.until(lambda connected, message: connected and "50035" in message)


async def test_an_endpoint_url_that_takes_the_commands_away_is_told(scene: Scene, start: Start) -> None:
    other = await scene.discord.add_bot("Other", interactions_endpoint_url="https://example.com/interactions")
    gateway = start(token=other["token"])
    await gateway.reports.until(lambda connected, message: connected and "Interactions Endpoint URL" in message)


async def test_a_slash_command_is_deferred_and_comes_in(scene: Scene, start: Start) -> None:
    gateway = start()
    inbound = await asked(scene, gateway)
    assert inbound.text == "/persona chef"
    assert (inbound.addressed, inbound.direct, inbound.language) == (True, False, "ru")
    assert (inbound.user, inbound.conversation) == (scene.user, scene.channel)
    assert inbound.principals == (f"user:{scene.user}", f"guild:{scene.guild}", f"channel:{scene.channel}")
    [waiting] = await scene.discord.answers(scene.channel)
    assert waiting["flags"] & LOADING
    [call] = await scene.discord.calls("callback")
    assert call["status"] == 204
    assert not call["authorization"]


async def test_a_command_without_argument_in_a_direct_message(scene: Scene, start: Start) -> None:
    gateway = start()
    await registered(scene, gateway)
    dm = await scene.discord.open_dm(scene.user)
    await scene.discord.slash(dm, scene.user, "help")
    [inbound] = await gateway.intake.next()
    assert (inbound.text, inbound.direct, inbound.conversation) == ("/help", True, dm)


async def test_the_first_part_fills_the_deferred_answer_in_however_often_it_is_sent(
    scene: Scene, start: Start, sender: DiscordSender
) -> None:
    inbound = await asked(scene, start())
    await scene.discord.fail("edit_answer", "close_after")
    with pytest.raises(Exception, match="no answer"):
        await send(sender, inbound, "thinking", final=False)
    message = await send(sender, inbound, "thinking harder", final=False)
    await sender.edit(inbound.address, message, "done", final=True)
    [answer] = await scene.discord.answers(scene.channel)
    assert (answer["content"], answer["flags"] & LOADING) == ("done", 0)
    assert not any(call["authorization"] for call in await scene.discord.calls("edit_answer"))


async def test_further_parts_are_messages_with_a_nonce(scene: Scene, start: Start, sender: DiscordSender) -> None:
    inbound = await asked(scene, start())
    await send(sender, inbound, "one")
    second = await send(sender, inbound, "two", nonce="n2", first=False)
    assert await send(sender, inbound, "two", nonce="n2", first=False) == second
    assert [m["content"] for m in await scene.discord.answers(scene.channel)] == ["one", "two"]


async def test_where_the_bot_may_not_write_further_parts_are_followups(
    scene: Scene, start: Start, sender: DiscordSender
) -> None:
    gateway = start()
    await scene.discord.deny(scene.channel, "send")
    inbound = await asked(scene, gateway)
    await send(sender, inbound, "one")
    second = await send(sender, inbound, "two", nonce="n2", first=False)
    await sender.edit(inbound.address, second, "two and a half", final=True)
    assert [m["content"] for m in await scene.discord.answers(scene.channel)] == ["one", "two and a half"]


async def test_typing_is_not_shown_twice(scene: Scene, start: Start, sender: DiscordSender) -> None:
    inbound = await asked(scene, start())
    await sender.typing(inbound.address)
    assert await scene.discord.calls("typing") == []


async def test_after_the_token_ran_out_the_channel_is_used(scene: Scene, start: Start, sender: DiscordSender) -> None:
    inbound = await asked(scene, start())
    message = await send(sender, inbound, "early", final=False)
    await scene.discord.configure(interaction_lifetime=0.0)
    await sender.edit(inbound.address, message, "early, edited late", final=True)
    await send(sender, inbound, "late")
    assert [m["content"] for m in await scene.discord.answers(scene.channel)] == ["early, edited late", "late"]


async def test_a_token_known_to_be_old_is_not_tried(scene: Scene, start: Start, sender: DiscordSender) -> None:
    inbound = await asked(scene, start())
    long_ago = {**inbound.address, "interaction": str((1_700_000_000_000 - EPOCH_MS) << 22)}
    await sender.send(long_ago, "late", nonce="n1", first=True, final=True)
    assert await scene.discord.calls("edit_answer") == []
    assert len(await scene.discord.calls("create_message")) == 1


async def test_a_deleted_answer_is_gone(scene: Scene, start: Start, sender: DiscordSender) -> None:
    inbound = await asked(scene, start())
    message = await send(sender, inbound, "thinking", final=False)
    [answer] = await scene.discord.answers(scene.channel)
    await scene.discord.delete(scene.channel, answer["id"])
    with pytest.raises(MessageGone):
        await sender.edit(inbound.address, message, "done", final=True)


async def test_a_deferral_that_came_too_late_still_gets_an_answer(
    scene: Scene, start: Start, sender: DiscordSender
) -> None:
    gateway = start()
    await registered(scene, gateway)
    await scene.discord.configure(interaction_deadline=0.0)
    inbound = await asked(scene, gateway)
    assert inbound.address == {"channel": scene.channel}
    await send(sender, inbound, "sorry, late")
    assert [m["content"] for m in await scene.discord.answers(scene.channel)] == ["sorry, late"]


@pytest.mark.parametrize("kind", ["close_before", "close_after", "answer", "answer_after"])
async def test_a_deferral_whose_answer_is_lost_is_tried_again(scene: Scene, start: Start, kind: Any) -> None:
    gateway = start()
    await scene.discord.fail("callback", kind, status=503)
    inbound = await asked(scene, gateway)
    assert "token" in inbound.address


async def test_an_interaction_sent_twice_is_one(scene: Scene, start: Start) -> None:
    gateway = start()
    await registered(scene, gateway)
    gateway.intake.go_away()
    await scene.discord.slash(scene.channel, scene.user, "help")
    await gateway.reports.until(lambda connected, message: "store" in message)
    await scene.discord.drop_sockets()
    gateway.intake.come_back()
    last = await scene.discord.say(scene.channel, scene.user, "and?", mention=True)
    await gateway.intake.until(lambda: any(m.event == last for m in gateway.intake.taken))
    command, _ = gateway.intake.taken
    assert "token" in command.address


async def test_a_slow_deferral_holds_up_nobody_else(scene: Scene, start: Start) -> None:
    gateway = start()
    await registered(scene, gateway)
    other = await scene.discord.add_channel(scene.guild)
    await scene.discord.fail("callback", "stall_before", seconds=1.5)
    await scene.discord.slash(scene.channel, scene.user, "help")
    await scene.discord.say(scene.channel, scene.user, "in its turn", mention=True)
    await scene.discord.say(other, scene.user, "elsewhere", mention=True)
    taken = await gateway.intake.next(3)
    assert [message.text for message in taken] == ["elsewhere", "/help", "in its turn"]


async def test_a_channel_closed_to_the_bot_is_final(scene: Scene, start: Start, sender: DiscordSender) -> None:
    gateway = start()
    await registered(scene, gateway)
    await scene.discord.configure(interaction_deadline=0.0)
    inbound = await asked(scene, gateway)
    await scene.discord.deny(scene.channel, "send")
    with pytest.raises(Rejected, match="50013"):
        await send(sender, inbound)


def test_names_that_discord_refuses_are_told() -> None:
    with pytest.raises(ValueError, match="cannot be a slash command"):
        commands.payload([CommandInfo("Two Words", {"en": "x"})])


def test_descriptions_are_cut_and_languages_named_as_discord_does() -> None:
    [command] = commands.payload([CommandInfo("x", {"en": "e" * 200, "pt": "um", "tlh": "wa'"})])
    assert len(command["description"]) == 100
    assert command["description_localizations"] == {"pt-BR": "um"}


def test_what_is_there_is_compared_and_not_how_it_is_written() -> None:
    wanted = commands.payload(COMMANDS)
    there = [{**c, "id": "1", "version": "2", "nsfw": False} for c in reversed(wanted)]
    assert commands.same(wanted, there)
    there[0] = {**there[0], "description": "changed"}
    assert not commands.same(wanted, there)


async def test_a_command_in_a_text_can_be_tapped(scene: Scene, start: Start, sender: DiscordSender) -> None:
    written = await sender.command_form()
    assert (written("help", ""), written("persona", "chef")) == ("`/help`", "`/persona chef`"), "no ids are known yet"
    sender._registered._look_at = 0.0
    await registered(scene, start())
    ids = {command["name"]: command["id"] for command in await scene.discord.commands()}

    async def known() -> bool:
        sender._registered._look_at = 0.0
        return (await sender.command_form())("help", "") == f"</help:{ids['help']}>"

    await scene.discord.wait_for(known)
    written = await sender.command_form()
    assert written("persona", "chef") == f"</persona:{ids['persona']}> `chef`"
    assert written("роль", "chef") == "`!роль chef`", "no slash command"
    assert not sender.delivers("роль", direct=False)


@pytest.mark.parametrize("intent", [True, False])
async def test_what_a_guild_withholds_is_known(sender: DiscordSender, scene: Scene, intent: bool) -> None:
    sender._sees_texts = intent
    assert await sender.withheld({"channel": scene.channel}) == (None if intent else "content")
