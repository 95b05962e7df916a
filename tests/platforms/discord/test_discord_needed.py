"""A field that Discord does not send, or that nobody knows, fails nothing: each is left out in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from discord.http import Route

from gptbot.platforms.discord import commands
from gptbot.platforms.discord.attachments import fetch_attachment
from gptbot.platforms.discord.catchup import CatchUp
from gptbot.platforms.discord.client import Client, GatewayInfo
from gptbot.platforms.discord.history import History
from gptbot.platforms.discord.mapping import Directory, from_edit, from_interaction, from_message, interaction_address
from gptbot.platforms.discord.rest import Rest
from gptbot.platforms.discord.sender import DiscordSender
from gptbot.platforms.errors import OutcomeUnknown, PlatformError, SendError
from gptbot.platforms.inbound import Inbound
from tests.hostile.mutations import fields, named, with_more, without
from tests.platforms.discord.conftest import COMMANDS, Scene

PERSON = {"id": "11", "username": "ada", "global_name": "Ada", "bot": False, "discriminator": "0", "avatar": None}
MEMBER = {"user": PERSON, "roles": ["3"], "permissions": "8", "joined_at": "x", "nick": None, "flags": 0}
FILE = {"id": "8", "filename": "a.png", "content_type": "image/png", "size": 9, "url": "http://x/a", "duration_secs": 1}
MESSAGE: dict[str, Any] = {
    "id": "1200000000000000001", "channel_id": "5", "guild_id": "7", "author": PERSON, "type": 19, "flags": 0,
    "content": "<@99> hello", "mentions": [{"id": "99", "username": "bot"}], "mention_roles": ["3"], "member": MEMBER,
    "edited_timestamp": "2026-01-01T00:00:00Z", "timestamp": "x", "tts": False, "pinned": False, "attachments": [FILE],
    "embeds": [{"type": "rich", "title": "t", "description": "d", "fields": [{"name": "n", "value": "v"}]}],
    "components": [{"type": 17, "components": [{"type": 10, "content": "c"}]}], "sticker_items": [{"id": "1"}],
    "referenced_message": {"id": "4", "author": {"id": "99"}, "content": "an answer", "attachments": [FILE], "type": 0},
    "message_snapshots": [{"message": {"content": "forwarded", "attachments": [FILE], "embeds": []}}],
    "poll": {"question": {"text": "q"}, "answers": [{"answer_id": 1, "poll_media": {"text": "a"}}]},
    "message_reference": {"type": 0, "message_id": "4", "channel_id": "5"}, "nonce": 5,
}  # fmt: skip
SLASH: dict[str, Any] = {
    "id": "1200000000000000002", "application_id": "98", "type": 2, "token": "t", "channel_id": "5", "guild_id": "7",
    "data": {"id": "1", "name": "settings", "type": 1, "options": [
        {"name": "number", "type": 4, "value": 5}, {"name": "what", "type": 3, "value": "answer", "focused": True}]},
    "member": MEMBER, "locale": "ru", "guild_locale": "en-US", "version": 1, "entitlements": [], "context": 0,
    "channel": {"id": "5", "type": 11, "parent_id": "4", "name": "x"}, "app_permissions": "0",
}  # fmt: skip
BUTTON = SLASH | {
    "type": 3, "data": {"component_type": 2, "custom_id": "retry", "id": 2},
    "message": {"id": "4", "flags": 0, "components": []},
}  # fmt: skip
DIRECTORY = Directory("99", "bot")


def slash(data: Any) -> Inbound | None:
    found = from_interaction(commands.in_order(data, COMMANDS))
    assert interaction_address(data)["channel"]
    return found


READERS: dict[str, tuple[Any, Callable[[Any], Inbound | None]]] = {
    "message": (MESSAGE, lambda data: from_message(data, DIRECTORY)),
    "edit": (MESSAGE, lambda data: from_edit(data, DIRECTORY)),
    "slash": (SLASH, slash),
    "button": (BUTTON, from_interaction),
}
SAYS_WHO_AND_WHERE = {
    "message": {"id", "channel_id", "author", "author.id"},
    "edit": {"id", "channel_id", "author", "author.id", "content", "edited_timestamp"},
    "slash": {"id", "type", "member", "member.user", "member.user.id"},
    "button": {"id", "type", "member", "member.user", "member.user.id"},
}
"""Without these nobody can be answered, or nothing is asked."""


@pytest.mark.parametrize("kind", READERS)
def test_each_field_of_an_event_is_left_out_in_turn(kind: str) -> None:
    sample, reader = READERS[kind]
    whole = reader(sample)
    assert whole is not None
    same = 0
    for path in fields(sample):
        try:
            found = reader(without(sample, path))
        except ValueError:
            found = None
        needed = named(path) in SAYS_WHO_AND_WHERE[kind]
        assert (found is None) == needed, f"without {named(path)}"
        same += found == whole
    assert same > 5, "what is not read changes nothing"


@pytest.mark.parametrize("kind", READERS)
def test_fields_that_nobody_knows_change_nothing(kind: str) -> None:
    sample, reader = READERS[kind]
    assert reader(with_more(sample)) == reader(sample)


def test_what_is_left_out_of_a_guild_fails_nothing() -> None:
    role = {"id": "7", "permissions": "32", "tags": {"bot_id": "99"}, "name": "x"}
    guild = {
        "id": "7", "owner_id": "11", "preferred_locale": "ru", "features": ["COMMUNITY"], "roles": [role],
        "channels": [{"id": "5", "type": 0, "last_message_id": "99999999999999999999"}],
        "threads": [{"id": "6", "parent_id": "5", "type": 11, "last_message_id": "99999999999999999999"}],
    }  # fmt: skip
    events: dict[str, Any] = {
        "guild": guild, "role": {"guild_id": "7", "role": role}, "role_gone": {"guild_id": "7", "role_id": "3"},
        "thread": {"id": "6", "guild_id": "7", "parent_id": "5"}, "thread_gone": {"id": "6", "guild_id": "7"},
        "guild_gone": {"id": "7", "unavailable": True},
    }  # fmt: skip
    for name, event in events.items():
        for path in [(), *fields(event)]:
            directory = Directory("99", "bot")
            directory.guild(guild)
            getattr(directory, name)(without(event, path) if path else event)
    directory = Directory("99", "bot")
    catch_up = CatchUp(None, None, directory, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert len(catch_up.unheard(guild, 0.0)) == 2
    for path in fields(guild):
        assert len(catch_up.unheard(without(guild, path), 0.0)) <= 2


async def test_the_gateway_is_found_by_its_address_alone(scene: Scene) -> None:
    whole = {
        "url": "ws://127.0.0.1:1", "shards": 2,
        "session_start_limit": {"total": 9, "remaining": 7, "reset_after": 4000, "max_concurrency": 3},
    }  # fmt: skip
    async with Client(scene.discord.url, message_content=False) as client:
        answer: Any = whole

        async def request(route: Route, **_: Any) -> Any:
            return answer

        client.http.request = request  # type: ignore[method-assign]
        assert await client.gateway_info() == GatewayInfo("ws://127.0.0.1:1", 2, 7, 4.0, 3)
        for path in fields(whole):
            answer = without(whole, path)
            if path == ("url",):
                with pytest.raises(ConnectionError, match="where its gateway is"):
                    await client.gateway_info()
                continue
            info = await client.gateway_info()
            assert info.shards >= 1, path
            assert info.remaining >= 7
            assert info.max_concurrency >= 1
        answer = []
        with pytest.raises(ConnectionError):
            await client.gateway_info()


def test_commands_that_are_told_with_less_are_other_ones() -> None:
    wanted = commands.payload(COMMANDS)
    assert commands.same(wanted, wanted)
    for number, command in enumerate(wanted):
        for path in fields(command):
            commands.same(wanted, [*wanted[:number], without(command, path), *wanted[number + 1 :]])
    asked = SLASH | {
        "type": 4,
        "data": {"name": "persona", "options": [{"name": "name", "value": "c", "focused": True}]},
    }
    assert commands.completions(asked, COMMANDS)
    for path in fields(asked):
        assert isinstance(commands.completions(without(asked, path), COMMANDS), list)


async def test_answers_over_rest_with_less_in_them(scene: Scene, sender: DiscordSender) -> None:
    made = MESSAGE | {"content": "x", "components": [{"type": 1, "components": [{"type": 2, "custom_id": "stop"}]}]}
    address = {"channel": scene.channel}
    for path in [path for path in fields(made) if len(path) == 1 or path[0] == "components"]:
        await scene.discord.stop_failing()
        await scene.discord.fail("create_message", status=200, body=without(made, path))
        await scene.discord.fail("edit_message", status=200, body={})
        send = sender.send(address, "x", nonce=str(path)[:20], first=True, final=True)
        if path == ("id",):
            with pytest.raises(OutcomeUnknown):
                await send
        else:
            assert await send == made["id"]
    await scene.discord.stop_failing()


async def test_a_history_with_less_in_it(scene: Scene) -> None:
    async with aiohttp.ClientSession() as http:
        rest = Rest(http, scene.discord.url, scene.token)
        for path in [*fields(MESSAGE), None]:
            odd = MESSAGE if path is None else without(MESSAGE, path)
            await scene.discord.fail("get_messages", status=200, body=[MESSAGE | {"type": 0}, odd, 5, None])
            try:
                found = [each async for each in History(rest).read({"channel": scene.channel}, 0.0)]
            except SendError as error:
                pytest.fail(f"without {path}: {error}")
            assert found, path
        for path in fields({"attachments": [FILE]}):
            await scene.discord.fail("get_message", status=200, body=without({"attachments": [FILE]}, path))
            with pytest.raises(PlatformError):
                await fetch_attachment(rest, http, "http://y", scene.channel, {"message": "1", "attachment": "8"}, 9)
