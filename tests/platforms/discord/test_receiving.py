"""What people write comes in as it should: mapping, order, and nothing that is not for a bot."""

from __future__ import annotations

from tests.platforms.discord.conftest import Scene, Start


async def test_a_mention_comes_in_without_the_mention(scene: Scene, start: Start) -> None:
    gateway = start()
    await gateway.connected()
    message = await scene.discord.say(scene.channel, scene.user, "which fridge is quiet?", mention=True)
    [inbound] = await gateway.intake.next()
    assert inbound.event == message
    assert inbound.text == "which fridge is quiet?"
    assert inbound.conversation == scene.channel
    assert inbound.user == scene.user
    assert inbound.addressed
    assert not inbound.direct
    assert inbound.address == {"channel": scene.channel, "message": message}
