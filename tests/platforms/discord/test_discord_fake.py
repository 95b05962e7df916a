"""The server that stands in for Discord: known to discord.py as it comes, strict, and the same from far away."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
import discord as library
import orjson
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.fakes.discord import FakeDiscord, RemoteDiscord
from tests.platforms.discord.conftest import Scene

Json = dict[str, Any]
AGENT = {"User-Agent": "DiscordBot (https://example.com, 1)"}


async def test_an_unchanged_discord_py_lives_on_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", scene.discord.url)
    gateway = f"ws://127.0.0.1:{scene.discord.port}/gateway/"
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(gateway))
    await scene.discord.add_thread(scene.channel)
    intents = library.Intents.none()
    intents.guilds = intents.guild_messages = intents.dm_messages = True
    seen: asyncio.Queue[library.Message] = asyncio.Queue()

    class Bot(library.Client):
        async def on_message(self, message: library.Message) -> None:
            if message.author != self.user:
                await seen.put(message)
                await message.reply("yes")

    async with Bot(intents=intents, guild_ready_timeout=0.1) as bot:
        running = asyncio.create_task(bot.start(scene.token))
        await asyncio.wait_for(wait_ready(bot), 15)
        [guild] = bot.guilds
        assert guild.self_role is not None
        assert [channel.name for channel in guild.text_channels] == ["general"]
        assert len(guild.threads) == 1
        await scene.discord.say(scene.channel, scene.user, "hello", mention=True)
        message = await asyncio.wait_for(seen.get(), 10)
        assert message.content == f"<@{scene.bot}> hello"
        assert isinstance(message.channel, library.TextChannel)
        [answer] = await scene.discord.wait_for_answers(scene.channel)
        assert (answer["content"], answer["reply_to"]) == ("yes", str(message.id))
        await bot.close()
        await asyncio.wait_for(running, 10)


async def wait_ready(bot: library.Client) -> None:
    while not bot.is_ready():  # `wait_until_ready` cannot be called before the login
        await asyncio.sleep(0.02)


async def call(
    scene: Scene, method: str, path: str, body: Any = None, *, token: str | None = None, headers: Any = None
) -> tuple[int, Any]:
    sent = AGENT | {"Authorization": f"Bot {token or scene.token}"} | (headers or {})
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, scene.discord.url + path, json=body, headers=sent) as response,
    ):
        raw = await response.read()
        return response.status, orjson.loads(raw) if raw else None


async def test_wrong_tokens_and_routes_are_refused(scene: Scene) -> None:
    assert await call(scene, "GET", "/users/@me", token="x") == (401, {"message": "401: Unauthorized", "code": 0})
    assert await call(scene, "GET", "/nowhere") == (404, {"message": "404: Not Found", "code": 0})
    async with aiohttp.ClientSession() as http, http.get(scene.discord.url + "/users/@me") as response:
        assert response.status == 403  # no User-Agent as Discord demands


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        ({"content": "x" * 2001}, "BASE_TYPE_MAX_LENGTH", "content"),
        ({"content": 5}, "STRING_TYPE_CONVERT", "content"),
        ({"content": "x", "nonce": "n" * 26}, "NONCE_TYPE_TOO_LONG", "nonce"),
        ({"content": "x", "nonce": True}, "NONCE_TYPE_INVALID_TYPE", "nonce"),
        ({"content": "x", "flags": 1 << 7}, "BITFIELD_NOT_ALLOWED", "flags"),
        ({"content": "x", "message_reference": {"message_id": "1"}}, "MESSAGE_REFERENCE_UNKNOWN_MESSAGE",
         "message_reference"),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
         "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "allowed_mentions"),
    ],
)  # fmt: skip
async def test_invalid_forms_say_where(scene: Scene, body: Json, code: str, where: str) -> None:
    status, answer = await call(scene, "POST", f"/channels/{scene.channel}/messages", body)
    assert (status, answer["code"], answer["message"]) == (400, 50035, "Invalid Form Body")
    assert answer["errors"][where]["_errors"][0]["code"] == code


async def test_pings_are_what_allowed_mentions_allow(scene: Scene) -> None:
    text = f"@everyone <@{scene.user}>"
    path = f"/channels/{scene.channel}/messages"
    for allowed in (None, {"parse": []}, {"parse": ["everyone"]}, {"users": [scene.user]}):
        await call(scene, "POST", path, {"content": text} | ({"allowed_mentions": allowed} if allowed else {}))
    pings = [message["pings"] for message in await scene.discord.answers(scene.channel)]
    assert pings == [[scene.user, "everyone"], [], ["everyone"], [scene.user]]


async def test_buckets_and_the_global_limit_are_real(scene: Scene) -> None:
    path = f"/channels/{scene.channel}/messages"
    statuses = [(await call(scene, "POST", path, {"content": "x"}))[0] for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    status, answer = await call(scene, "POST", path, {"content": "x"})
    assert (status, answer["global"]) == (429, False)
    assert 0 < answer["retry_after"] <= 5
    channels = [await scene.discord.add_channel(scene.guild, f"c{n}") for n in range(60)]
    answers = await asyncio.gather(*(call(scene, "POST", f"/channels/{c}/typing") for c in channels))
    assert any(status == 429 and answer["global"] for status, answer in answers)


async def test_a_token_that_starts_too_many_sessions_is_reset(scene: Scene) -> None:
    await scene.discord.configure(identifies_left=0)
    async with aiohttp.ClientSession() as http, http.ws_connect(gateway_url(scene)) as socket:
        await identify(socket, scene.token)
        assert (await socket.receive()).data == 4004
    assert (await call(scene, "GET", "/users/@me"))[0] == 401


@pytest.mark.parametrize(
    ("change", "code"),
    [({"token": "x"}, 4004), ({"intents": 1 << 30}, 4013), ({"intents": 1 << 15}, 4014), ({"shard": [2, 2]}, 4010),
     ({"properties": {}}, 4002)],
)  # fmt: skip
async def test_wrong_identifies_are_closed(scene: Scene, change: Json, code: int) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(gateway_url(scene)) as socket:
        await identify(socket, scene.token, **change)
        assert (await socket.receive()).data == code


async def test_a_second_identify_at_once_is_an_invalid_session(scene: Scene) -> None:
    url = gateway_url(scene)
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as first, http.ws_connect(url) as second:
        await identify(first, scene.token)
        assert (await first.receive_json())["t"] == "READY"
        await identify(second, scene.token)
        assert await second.receive_json() == {"op": 9, "d": False}


async def test_what_a_heartbeat_acknowledged_is_not_sent_again(scene: Scene) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(gateway_url(scene)) as socket:
            await identify(socket, scene.token)
            ready = await socket.receive_json()
            await socket.receive_json()
            await socket.send_json({"op": 1, "d": 2})
            assert (await socket.receive_json())["op"] == 11
            await socket.close(code=4000)
        for sequence, op in ((1, 9), (2, 9)):  # the first try ends the session
            async with http.ws_connect(gateway_url(scene)) as socket:
                await socket.receive_json()
                resume = {"token": scene.token, "session_id": ready["d"]["session_id"], "seq": sequence}
                await socket.send_json({"op": 6, "d": resume})
                assert (await socket.receive_json())["op"] == op


def gateway_url(scene: Scene) -> str:
    return f"ws://127.0.0.1:{scene.discord.port}/gateway/?v=10&encoding=json"


async def identify(socket: aiohttp.ClientWebSocketResponse, token: str, /, **change: Any) -> None:
    assert (await socket.receive_json())["op"] == 10
    properties = {"os": "linux", "browser": "test", "device": "test"}
    await socket.send_json({"op": 2, "d": {"token": token, "intents": 513, "properties": properties, **change}})


async def test_the_hand_is_the_same_from_far_away(discord: FakeDiscord) -> None:
    async with RemoteDiscord(discord.control_url) as far:
        bot = await far.add_bot("Far", token="a-token")
        channel = await far.add_channel(await far.add_guild())
        user = await far.add_user()
        said = await far.say(channel, user, "hi", mention=True)
        waiting = asyncio.create_task(far.wait_for_answers(channel, since=said))
        scene = Scene(discord, bot["token"], bot["user"], "", channel, user)
        await call(scene, "POST", f"/channels/{channel}/messages", {"content": "hello"})
        [answer] = await waiting
        assert answer["content"] == "hello"
        assert await far.messages(channel) == await discord.messages(channel)
        with pytest.raises(ValueError, match="no such action"):
            await far.do("nonsense")
        with pytest.raises(ValueError, match="KeyError"):
            await far.say("1", user, "nowhere")


async def test_it_runs_by_itself() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.discord", "--port", "0", "--token", "a-token",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        base = line.partition("control at ")[2].removesuffix("/control/\n")
        async with RemoteDiscord(base) as far:
            assert list((await far.stats())["identifies"].values()) == [0]
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 15) == 0
