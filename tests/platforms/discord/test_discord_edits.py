"""Edited and deleted messages of Discord: the same event with another text, and the events that are gone."""

from __future__ import annotations

import time

from tests.platforms.discord.conftest import Scene, Start, texts


async def test_an_edit_is_the_same_event_and_a_preview_is_none(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    said = await scene.discord.say(scene.channel, scene.user, "helo", mention=True)
    await scene.discord.preview(scene.channel, said)
    await scene.discord.edit(scene.channel, said, f"<@{scene.bot}> hello")
    await gateway.intake.until(lambda: bool(gateway.intake.edited))
    [first], [edited] = gateway.intake.taken, gateway.intake.edited
    assert (first.text, edited.text, edited.addressed) == ("helo", "hello", True)
    assert (edited.event, edited.conversation, edited.address) == (first.event, first.conversation, first.address)
    assert edited.original_at is not None
    assert abs(edited.original_at - time.time()) < 60


async def test_without_the_intent_an_edit_shows_its_text_only_if_it_mentions(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    said = await scene.discord.say(scene.channel, scene.user, "just talking")
    await scene.discord.edit(scene.channel, said, f"<@{scene.bot}> what about you?")
    await scene.discord.edit(scene.channel, said, "just talking")
    await gateway.intake.until(lambda: len(gateway.intake.edited) == 2)
    assert [(edit.text, edit.addressed) for edit in gateway.intake.edited] == [("what about you?", True), ("", False)]


async def test_deleted_messages_are_told_once_and_in_bulk(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    direct = await scene.discord.open_dm(scene.user)
    said = [await scene.discord.say(scene.channel, scene.user, str(number), mention=True) for number in range(3)]
    private = await scene.discord.say(direct, scene.user, "secret")
    await scene.discord.delete(direct, private)
    await scene.discord.delete(scene.channel, said[0])
    await scene.discord.purge(scene.channel, *said[1:])
    await gateway.intake.until(lambda: len(gateway.intake.gone) == 4)
    assert sorted(gateway.intake.gone) == sorted([(direct, private), *((scene.channel, event) for event in said)])
    events = {message.event for message in gateway.intake.taken}
    assert events == {private, *said}


async def test_a_deletion_waits_for_the_store_behind_its_message(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    gateway.intake.go_away()
    said = await scene.discord.say(scene.channel, scene.user, "oops", mention=True)
    await gateway.reports.until(lambda connected, message: "store" in message)
    await scene.discord.delete(scene.channel, said)
    assert gateway.intake.gone == []
    gateway.intake.come_back()
    await gateway.intake.until(lambda: gateway.intake.gone == [(scene.channel, said)])
    assert texts(gateway.intake) == ["oops"]


async def test_the_bots_own_edits_are_nobodys_questions(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    other = await scene.discord.add_bot("Other")
    said = await scene.discord.say(scene.channel, other["user"], "hello", mention=True)
    await scene.discord.edit(scene.channel, said, f"<@{scene.bot}> hello again")
    await scene.discord.say(scene.channel, scene.user, "last", mention=True)
    await gateway.intake.next()
    assert (texts(gateway.intake), gateway.intake.edited) == (["last"], [])
