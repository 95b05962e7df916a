"""Files on Discord: what of a message is a file, and how its content is fetched."""

from __future__ import annotations

import pytest

from gptbot.platforms.base import Fetches
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.errors import OutcomeUnknown, Rejected, TooLarge
from gptbot.platforms.inbound import Attachment
from tests.platforms.discord.conftest import Scene, Start

PNG = ("Ada at home.png", "image/png", b"\x89PNG")


async def test_what_is_a_file(scene: Scene, start: Start) -> None:
    bot = start()
    await bot.connected()
    files = [PNG, ("main.rs", None, b"fn main() {}"), ("voice.ogg", "audio/ogg", b"OggS"), ("a.zip", None, b"PK")]
    message = await scene.discord.say(scene.channel, scene.user, "look", mention=True, files=files)
    [inbound] = await bot.intake.next()

    def wanted(number: int, kind: str, mime: str) -> Attachment:
        file = scene.discord.world.channels[scene.channel].messages[message].files[number]
        reference = {"message": message, "attachment": file.id}
        return Attachment(kind=kind, mime=mime, size=len(file.content), reference=reference)  # pyright: ignore[reportArgumentType]

    assert list(inbound.attachments) == [
        wanted(0, "image", "image/png"), wanted(1, "text", "text/rust"), wanted(2, "audio", "audio/ogg"),
        wanted(3, "other", ""),
    ]  # fmt: skip
    assert "home" not in repr(inbound)


async def test_what_is_replied_to_has_files_too_and_a_sticker_cannot_be_read(scene: Scene, start: Start) -> None:
    bot = start(messageContentIntent=False)
    await bot.connected()
    picture = await scene.discord.say(scene.channel, scene.user, "my photo", mention=True, files=[PNG])
    await scene.discord.say(scene.channel, scene.user, "what is it?", mention=True, reply_to=picture)
    direct = await scene.discord.open_dm(scene.user)
    await scene.discord.say(direct, scene.user, "", sticker=True)
    await bot.intake.next(3)
    by_text = {message.text: message for message in bot.intake.taken}
    first, second, sticker = by_text["my photo"], by_text["what is it?"], by_text[""]
    assert list(second.attachments) == list(first.attachments)
    assert list(sticker.attachments) == [Attachment(kind="other", mime="", size=None, reference={})]


async def _sent(scene: Scene, start: Start) -> Attachment:
    bot = start()
    await bot.connected()
    await scene.discord.say(scene.channel, scene.user, "look", mention=True, files=[PNG])
    [inbound] = await bot.intake.next()
    return inbound.attachments[0]


async def test_a_file_is_fetched(scene: Scene, start: Start, sender: DiscordSender) -> None:
    assert isinstance(sender, Fetches)
    file = await _sent(scene, start)
    address = {"channel": scene.channel}
    assert await sender.fetch(address, file.reference, 4) == PNG[2]
    with pytest.raises(TooLarge):
        await sender.fetch(address, file.reference, 3)
    await scene.discord.fail("get_message", status=502)
    with pytest.raises(OutcomeUnknown, match="502"):
        await sender.fetch(address, file.reference, 4)
    await scene.discord.delete(scene.channel, file.reference["message"])
    with pytest.raises(Rejected, match="Unknown Message"):
        await sender.fetch(address, file.reference, 4)


@pytest.mark.parametrize(
    "elsewhere",
    ["http://127.0.0.1:1", "https://cdn.discordapp.com.evil.example", "file:///etc", "http://cdn.discordapp.com"],
)
async def test_only_discords_own_servers_are_asked(
    scene: Scene, start: Start, sender: DiscordSender, elsewhere: str
) -> None:
    file = await _sent(scene, start)
    scene.discord.world.cdn = elsewhere
    with pytest.raises(Rejected, match="Discord names"):
        await sender.fetch({"channel": scene.channel}, file.reference, 100)


async def test_a_file_that_the_cdn_does_not_give(scene: Scene, start: Start, sender: DiscordSender) -> None:
    file = await _sent(scene, start)
    scene.discord.world.cdn += "/moved"
    with pytest.raises(Rejected, match="404"):
        await sender.fetch({"channel": scene.channel}, file.reference, 100)
