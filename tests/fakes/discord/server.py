"""The server: state, REST, gateway and control in one aiohttp application."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.fakes.discord import errors
from tests.fakes.discord.actions import Actions
from tests.fakes.discord.control import control_routes
from tests.fakes.discord.errors import Json
from tests.fakes.discord.front import PREFIX, Call, Front, Route
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.hand import Hand
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.messages import Messages
from tests.fakes.discord.settings import Settings
from tests.fakes.discord.state import World


class FakeDiscord(Hand):
    """A Discord in this process. An async context manager; `url` is what a bot gets as apiBaseUrl."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, settings: Settings | None = None) -> None:
        self.host = host
        self.port = port
        self.settings = settings or Settings()
        self.world = World()
        self.gateway = Gateway(self.world, self.settings)
        self._messages = Messages(self.world, self.gateway, self._changed)
        self.interactions = Interactions(self.world, self.gateway, self._messages, self.settings)
        self.front = Front(self.world, self.settings, self._routes(), self._changed)
        self._actions = Actions(self.world, self.settings, self.gateway, self._messages, self.interactions, self.front)
        self.gateway.changed = self._changed
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base of the REST API."""
        return f"http://{self.host}:{self.port}{PREFIX}"

    @property
    def control_url(self) -> str:
        """What `RemoteDiscord` takes."""
        return f"http://{self.host}:{self.port}"

    async def do(self, action: str, **arguments: Any) -> Any:
        """Do it here."""
        return await self._actions.do(action, arguments)

    async def __aenter__(self) -> FakeDiscord:
        app = web.Application()
        app.add_routes(self.front.app_routes)
        app.add_routes([web.get("/gateway/", self.gateway.handle), web.get("/resume/", self.gateway.handle)])
        app.add_routes([*control_routes(self._actions), web.get("/attachments/{channel}/{file}/{name}", self._file)])
        app.router.add_route("*", "/{anything:.*}", self.front.unknown)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.world.cdn = f"http://{self.host}:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in list(self.gateway.connections):
            connection.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _file(self, request: web.Request) -> web.Response:
        """What the CDN does (docs/reference, "Signed Attachment CDN URLs"); it takes no bot's token."""
        channel = self.world.channels.get(request.match_info["channel"])
        found = [
            file for message in (channel.messages.values() if channel else ()) if not message.deleted
            for file in message.files if file.id == request.match_info["file"]
        ]  # fmt: skip
        signed = request.query.get("ex") == request.match_info["file"] and request.query.get("hm") == "5ea1"
        if not found or not signed or found[0].name != request.match_info["name"]:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=found[0].content, content_type=found[0].mime or "application/octet-stream")

    def _changed(self) -> None:
        self._actions.note_change()

    def _routes(self) -> list[Route]:
        """REST routes; the names are what faults and the log of calls use."""
        messages, interactions = self._messages, self.interactions
        one, webhook = "/channels/{channel}/messages/{message}", "/webhooks/{application}/{token}"
        commands = "/applications/{application}/commands"
        return [
            Route("me", "GET", "/users/@me", lambda call: call.caller.user.json(), (30, 5.0)),
            Route("application", "GET", "/oauth2/applications/@me", self._application, (30, 5.0)),
            Route("application", "GET", "/applications/@me", self._application, (30, 5.0)),
            Route("gateway_bot", "GET", "/gateway/bot", self._gateway_bot, (30, 5.0)),
            Route("guild", "GET", "/guilds/{guild}", self._guild, (30, 5.0)),
            Route("member", "GET", "/guilds/{guild}/members/{user}", self._member, (10, 10.0)),
            Route("open_dm", "POST", "/users/@me/channels", self._open_dm, (10, 10.0)),
            Route("channel", "GET", "/channels/{channel}", self._channel, (30, 5.0)),
            Route("get_commands", "GET", commands, interactions.commands, (30, 5.0)),
            Route("put_commands", "PUT", commands, interactions.overwrite, (5, 20.0)),
            Route("create_message", "POST", "/channels/{channel}/messages", messages.create),
            Route("get_messages", "GET", "/channels/{channel}/messages", messages.many, (30, 5.0)),
            Route("get_message", "GET", one, messages.one),
            Route("edit_message", "PATCH", one, messages.edit),
            Route("delete_message", "DELETE", one, messages.delete),
            Route("typing", "POST", "/channels/{channel}/typing", messages.typing),
            Route(
                "callback", "POST", "/interactions/{interaction}/{token}/callback", interactions.callback, None,
                authorized=False,
            ),
            Route("followup", "POST", webhook, interactions.followup, authorized=False),
            Route("get_answer", "GET", webhook + "/messages/{message}", interactions.one, authorized=False),
            Route("edit_answer", "PATCH", webhook + "/messages/{message}", interactions.edit, authorized=False),
            Route("delete_answer", "DELETE", webhook + "/messages/{message}", interactions.delete, authorized=False),
        ]  # fmt: skip

    def _application(self, call: Call) -> Json:
        bot = call.caller
        return {
            "id": bot.application, "name": bot.user.name, "icon": None, "description": "", "bot_public": True,
            "bot_require_code_grant": False, "verify_key": "0" * 64, "flags": self.gateway.flags(bot), "team": None,
            "owner": {"id": "1", "username": "owner", "discriminator": "0", "avatar": None, "global_name": None},
            "interactions_endpoint_url": bot.interactions_endpoint_url, "bot": bot.user.json(), "summary": "",
        }  # fmt: skip

    def _gateway_bot(self, call: Call) -> Json:
        left = max(0, call.caller.identifies_left)
        return {
            "url": self.settings.gateway_url or f"ws://{call.host}/gateway/",
            "shards": self.settings.shards,
            "session_start_limit": {
                "total": 1000, "remaining": left, "reset_after": self.settings.budget_reset_after_ms,
                "max_concurrency": self.settings.max_concurrency,
            },
        }  # fmt: skip

    def _guild(self, call: Call) -> Json:
        guild = self.world.guilds.get(call.path["guild"])
        if guild is None:
            raise errors.unknown_guild()
        return self.world.guild_json(guild)

    def _member(self, call: Call) -> Json:
        guild, user = call.path["guild"], self.world.users.get(call.path["user"])
        if guild not in self.world.guilds:
            raise errors.unknown_guild()
        if user is None or user.left:
            raise errors.unknown_member()
        return self.world.member_json(user, guild) | {"user": user.json()}

    def _channel(self, call: Call) -> Json:
        return self.world.channel_json(self.world.visible(call.caller, call.path["channel"]))

    def _open_dm(self, call: Call) -> Json:
        user = (call.body or {}).get("recipient_id")
        if user not in self.world.users:
            raise errors.unknown_user()
        return self.world.channel_json(self._actions.dm(call.caller, self.world.users[user]))
