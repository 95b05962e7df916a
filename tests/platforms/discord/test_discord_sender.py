"""Answers get there once, as one message, and each way Discord says no becomes the error that tells what to do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import Any

import aiohttp
import pytest

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from gptbot.platforms.base import SenderContext
from gptbot.platforms.discord import rest
from gptbot.platforms.discord.limits import SUPPRESS_EMBEDS
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.errors import FloodWait, MessageGone, NotSent, OutcomeUnknown, Rejected, SendError
from gptbot.platforms.inbound import Address
from tests.fakes.discord import FakeDiscord
from tests.platforms.discord.conftest import Scene, config, settings_of


async def question(scene: Scene) -> Address:
    message = await scene.discord.say(scene.channel, scene.user, "well?", mention=True)
    return {"channel": scene.channel, "message": message}


async def send(sender: DiscordSender, address: Address, text: str = "answer", **more: Any) -> str:
    how: dict[str, Any] = {"nonce": "n1", "first": True, "final": True, **more}
    return await sender.send(address, text, **how)


async def only_answer(scene: Scene) -> dict[str, Any]:
    [answer] = await scene.discord.answers(scene.channel)
    return answer


async def test_an_answer_is_a_reply_without_pings_and_previews(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    message = await send(sender, address, f"@everyone see https://example.com and ask <@{scene.user}>")
    answer = await only_answer(scene)
    assert answer["id"] == message
    assert answer["reply_to"] == address["message"]
    assert answer["pings"] == []
    assert answer["flags"] == SUPPRESS_EMBEDS


async def test_only_the_first_part_is_a_reply(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    await send(sender, address, "one")
    await send(sender, address, "two", nonce="n2", first=False)
    assert [m["reply_to"] for m in await scene.discord.answers(scene.channel)] == [address["message"], None]


async def test_a_question_deleted_meanwhile_is_answered_all_the_same(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    await scene.discord.delete(scene.channel, address["message"])
    await send(sender, address)
    assert (await only_answer(scene))["reply_to"] is None


async def test_without_the_right_to_read_history_it_is_no_reply(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    await scene.discord.deny(scene.channel, "history")
    await send(sender, address)
    assert (await only_answer(scene))["reply_to"] is None


async def test_a_message_is_edited_in_place(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    message = await send(sender, address, "thinking", final=False)
    await sender.edit(address, message, "done @everyone", final=True)
    await sender.edit(address, message, "done @everyone", final=True)  # the same text again is no error
    answer = await only_answer(scene)
    assert answer["content"] == "done @everyone"
    assert (answer["pings"], answer["flags"]) == ([], SUPPRESS_EMBEDS)


@pytest.mark.parametrize("kind", ["close_after", "answer_after"])
async def test_the_same_nonce_is_the_same_message(scene: Scene, sender: DiscordSender, kind: Any) -> None:
    address = await question(scene)
    await scene.discord.fail("create_message", kind, status=502, body="<html>bad gateway</html>")
    with pytest.raises(OutcomeUnknown):
        await send(sender, address)
    message = await send(sender, address)
    assert (await only_answer(scene))["id"] == message


async def test_the_same_nonce_with_a_later_text_shows_the_later_text(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    first = await send(sender, address, "the beg", final=False)
    again = await send(sender, address, "the beginning and the end")
    assert first == again
    assert (await only_answer(scene))["content"] == "the beginning and the end"


async def test_a_long_nonce_still_names_one_message(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    first = await send(sender, address, nonce="x" * 40)
    assert await send(sender, address, nonce="x" * 40) == first
    assert await send(sender, address, nonce="x" * 41) != first


async def test_length_is_counted_in_code_points_as_sent(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    assert sender.length("😀") == 1
    await send(sender, address, "😀" * sender.max_length)
    with pytest.raises(Rejected, match="50035"):
        await send(sender, address, "😀" * (sender.max_length + 1), nonce="n2")
    assert sender.length("#### x") == len("**x**")
    assert sender.length("  padded  ") == 6


@pytest.mark.parametrize("denied", ["view", "send"])
async def test_missing_rights_are_final(scene: Scene, sender: DiscordSender, denied: str) -> None:
    address = await question(scene)
    await scene.discord.deny(scene.channel, denied)
    with pytest.raises(Rejected):
        await send(sender, address)
    await sender.typing(address)  # raises nothing


async def test_a_person_who_takes_no_messages_is_final(scene: Scene, sender: DiscordSender) -> None:
    dm = await scene.discord.open_dm(scene.user)
    await scene.discord.close_dms(scene.user)
    with pytest.raises(Rejected, match="50007"):
        await send(sender, {"channel": dm})


async def test_a_channel_that_is_gone_is_final(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    message = await send(sender, address)
    await scene.discord.delete_channel(scene.channel)
    with pytest.raises(Rejected, match="10003"):
        await send(sender, address, nonce="n2")
    with pytest.raises(Rejected, match="10003"):
        await sender.edit(address, message, "more", final=True)


async def test_a_locked_thread_is_final(scene: Scene, sender: DiscordSender) -> None:
    thread = await scene.discord.add_thread(scene.channel)
    await scene.discord.lock(thread)
    with pytest.raises(Rejected, match="50083"):
        await send(sender, {"channel": thread})


async def test_a_deleted_message_is_gone(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    message = await send(sender, address)
    await scene.discord.delete(scene.channel, message)
    with pytest.raises(MessageGone):
        await sender.edit(address, message, "more", final=True)


async def test_a_message_of_its_own_is_deleted_and_again_is_no_error(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    message = await send(sender, address)
    await sender.delete(address, message)
    assert await scene.discord.answers(scene.channel) == []
    await sender.delete(address, message)  # 10008, Unknown Message
    with pytest.raises(Rejected, match="50013"):
        await sender.delete(address, address["message"])


async def test_deletions_have_a_bucket_of_their_own(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    messages = [await send(sender, address, str(number), nonce=f"n{number}") for number in range(2)]
    body = {"message": "You are being rate limited.", "retry_after": 0.3, "global": False}
    await scene.discord.fail("delete_message", status=429, body=body, headers={"Retry-After": "1"})
    with pytest.raises(FloodWait) as caught:
        await sender.delete(address, messages[0])
    assert caught.value.scope == "chat"
    await sender.edit(address, messages[1], "edited meanwhile", final=False)
    await sender.delete(address, messages[0])
    assert [m["content"] for m in await scene.discord.answers(scene.channel)] == ["edited meanwhile"]


async def test_an_empty_message_is_refused(scene: Scene, sender: DiscordSender) -> None:
    with pytest.raises(Rejected, match="50006"):
        await send(sender, await question(scene), "  \n ")


async def test_a_bucket_is_kept_to_without_asking(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    for number in range(5):
        await send(sender, address, nonce=f"n{number}", first=False, final=False)
    with pytest.raises(FloodWait) as wait:
        await send(sender, address, nonce="n5", first=False, final=False)
    assert 3 < wait.value.retry_after <= 5
    assert (await scene.discord.stats())["rate_limited"] == 0
    other = await scene.discord.add_channel(scene.guild)
    await send(sender, {"channel": other}, nonce="n6", final=False)


async def test_a_final_text_waits_for_its_place(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    await scene.discord.configure(bucket_seconds=0.5)
    await asyncio.gather(*(send(sender, address, nonce=f"n{number}", first=False) for number in range(3)))
    began = time.monotonic()
    for number in range(3, 7):
        await send(sender, address, nonce=f"n{number}", first=False)
    assert time.monotonic() - began >= 0.3
    assert len(await scene.discord.answers(scene.channel)) == 7
    assert (await scene.discord.stats())["rate_limited"] == 0


async def test_429_is_waited_out_on_that_route_only(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    body = {"message": "You are being rate limited.", "retry_after": 0.75, "global": False}
    await scene.discord.fail("create_message", status=429, body=body, headers={"Retry-After": "1"})
    with pytest.raises(FloodWait) as wait:
        await send(sender, address)
    assert wait.value.retry_after == 0.75
    with pytest.raises(FloodWait):
        await send(sender, address, final=False)
    assert len(await scene.discord.calls("create_message")) == 1
    await sender.typing(address)
    assert len(await scene.discord.calls("typing")) == 1
    await send(sender, address)  # waits by itself: it is final


async def test_typing_that_is_refused_is_a_wait_only_where_it_is_for_all(scene: Scene, sender: DiscordSender) -> None:
    address, body = await question(scene), {"message": "x", "retry_after": 0.01}
    await scene.discord.fail("typing", status=429, body=body | {"global": False})
    await sender.typing(address)
    await scene.discord.fail("typing", status=429, body=body | {"global": True})
    other = await scene.discord.add_channel(scene.guild, "other")
    with pytest.raises(FloodWait) as flood:
        await sender.typing({"channel": other})
    assert flood.value.scope == "all"


async def test_a_global_429_stops_all_routes(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    body = {"message": "You are being rate limited.", "retry_after": 30.5, "global": True}
    await scene.discord.fail("create_message", status=429, body=body, headers={"X-RateLimit-Global": "true"})
    with pytest.raises(FloodWait):
        await send(sender, address)
    await sender.typing(address)
    with pytest.raises(FloodWait) as wait:
        await send(sender, address)
    assert 29 < wait.value.retry_after <= 30.5
    assert len(await scene.discord.calls()) == 1


async def test_cloudflare_shutting_the_address_out_is_a_long_wait(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    await scene.discord.fail("create_message", status=429, body="error code: 1015", headers={"Retry-After": "120"})
    with pytest.raises(FloodWait) as wait:
        await send(sender, address)
    assert wait.value.retry_after == 120


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "close_before"},
        {"kind": "answer", "status": 500},
        {"kind": "answer", "status": 503, "body": "upstream connect error"},
        {"kind": "answer", "status": 200, "body": "<html>a proxy's page</html>"},
    ],
)
async def test_an_outcome_that_is_unknown_says_so(scene: Scene, sender: DiscordSender, fault: dict[str, Any]) -> None:
    address = await question(scene)
    await scene.discord.fail("create_message", **fault)
    with pytest.raises(OutcomeUnknown):
        await send(sender, address)
    await send(sender, address)
    await only_answer(scene)


async def test_a_stall_ends_in_time(scene: Scene, sender: DiscordSender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "TIMEOUT", 0.3)
    address = await question(scene)
    await scene.discord.fail("create_message", "stall_after", seconds=5)
    with pytest.raises(OutcomeUnknown):
        await send(sender, address)
    await send(sender, address)
    await only_answer(scene)


def test_a_worker_loads_no_discord_py() -> None:
    code = "import sys, gptbot.platforms.discord.sender; sys.exit('discord' in sys.modules or 'aiogram' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


async def test_nobody_there_means_not_sent(scene: Scene, store: Store, keys: BotKeys) -> None:
    async with FakeDiscord() as gone:
        url = gone.url
    bot = config(scene.token, apiBaseUrl=url)
    async with aiohttp.ClientSession() as http:
        sender = DiscordSender(SenderContext(bot=bot, settings=settings_of(bot), http=http, store=store, keys=keys))
        with pytest.raises(NotSent):
            await send(sender, {"channel": "1"})


async def test_a_refused_token_is_not_tried_again_and_again(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    await scene.discord.revoke()
    for _ in range(3):
        with pytest.raises(NotSent, match="Developer Portal"):
            await send(sender, address)
    assert len(await scene.discord.calls("create_message")) == 1


async def test_errors_tell_no_secret(scene: Scene, sender: DiscordSender) -> None:
    address = await question(scene)
    errors: list[SendError] = []
    for fault in ({"kind": "close_before"}, {"status": 500}, {"status": 403}, {"status": 400}):
        await scene.discord.fail("create_message", **fault)  # pyright: ignore[reportArgumentType]
        try:
            await send(sender, address, "a secret answer")
        except SendError as error:
            errors.append(error)
    assert len(errors) == 4
    for error in errors:
        said = f"{error!r} {error} {error.__cause__!r}"
        assert error.__context__ is None or error.__suppress_context__
        for secret in (scene.token, scene.channel, address["message"], "secret answer"):
            assert secret not in said
