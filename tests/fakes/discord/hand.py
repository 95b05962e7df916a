"""The hand that writes in a fake Discord's channels: one typed surface, whether it is in this process or far away."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from tests.fakes.discord.errors import Json
from tests.fakes.discord.faults import FaultKind

T = TypeVar("T")


class Hand(ABC):
    """What people on Discord do, what goes wrong with it, and what can be seen. Ids are strings, as in Discord's JSON.

    A `bot` left out is the first one.
    """

    @abstractmethod
    async def do(self, action: str, **arguments: Any) -> Any:
        """Have an action done by the server; arguments and result are JSON."""

    # What there is.

    async def add_bot(
        self,
        name: str = "Bot",
        *,
        token: str | None = None,
        message_content: bool = False,
        interactions_endpoint_url: str | None = None,
    ) -> Json:
        """A bot: `token`, `user`, `application`. It is in every guild. `message_content`: as switched in the portal."""
        return await self.do(
            "add_bot", name=name, token=token, message_content=message_content,
            interactions_endpoint_url=interactions_endpoint_url,
        )  # fmt: skip

    async def allow_message_content(self, *, allowed: bool = True, bot: str | None = None) -> None:
        """The message-content intent of a bot (by its user id) is switched in the portal."""
        await self.do("allow_message_content", allowed=allowed, bot=bot)

    async def add_user(self, name: str = "Ann") -> str:
        """A person."""
        return await self.do("add_user", name=name)

    async def add_guild(
        self, name: str = "Guild", *, preferred_locale: str = "en-US", features: Sequence[str] = ()
    ) -> str:
        """A guild with a managed role for each bot."""
        return await self.do("add_guild", name=name, preferred_locale=preferred_locale, features=list(features))

    async def add_channel(self, guild: str, name: str = "general") -> str:
        """A text channel."""
        return await self.do("add_channel", guild=guild, name=name)

    async def add_thread(self, channel: str, name: str = "thread", *, message: str | None = None) -> str:
        """A public thread in a channel, or one made of a message of it, whose id it has."""
        return await self.do("add_thread", channel=channel, name=name, message=message)

    async def open_dm(self, user: str, bot: str | None = None) -> str:
        """The direct messages of a person and a bot (by its user id)."""
        return await self.do("open_dm", user=user, bot=bot)

    async def give_role(self, guild: str, user: str, name: str = "staff", permissions: int = 0) -> str:
        """Make a role with such permissions and give it to a person."""
        return await self.do("give_role", guild=guild, user=user, name=name, permissions=permissions)

    async def own_guild(self, guild: str, user: str) -> None:
        """Make a person the owner of a guild."""
        await self.do("own_guild", guild=guild, user=user)

    async def managed_role(self, guild: str, bot: str | None = None) -> str:
        """The role that a bot (by its user id) brought into a guild."""
        return await self.do("managed_role", guild=guild, bot=bot)

    async def deny(self, channel: str, *permissions: str) -> None:
        """Take permissions from bots in a channel: view, send, history. None: give all back."""
        await self.do("deny", channel=channel, permissions=list(permissions))

    async def close_dms(self, user: str) -> None:
        """The person takes no direct messages any more."""
        await self.do("close_dms", user=user)

    async def leave(self, user: str) -> None:
        """The person leaves all guilds."""
        await self.do("leave", user=user)

    async def lock(self, thread: str) -> None:
        """Archive and lock a thread."""
        await self.do("lock", thread=thread)

    async def delete_channel(self, channel: str) -> None:
        """Delete a channel."""
        await self.do("delete_channel", channel=channel)

    # What people do.

    async def say(
        self,
        channel: str,
        user: str,
        text: str,
        *,
        mention: bool = False,
        reply_to: str | None = None,
        ping_replied: bool = True,
        kind: int | None = None,
        webhook: bool = False,
        bot: str | None = None,
        files: Sequence[tuple[str, str | None, bytes]] = (),
        sticker: bool = False,
        more: Json | None = None,
    ) -> str:
        """Write a message and return its id. `mention`: put the bot's mention before it. `kind`: a message type.

        `files`: name, type (None: Discord tells none) and content of each. `more`: further fields of the message.
        """
        sent = [{"name": name, "mime": mime, "content": b64encode(data).decode()} for name, mime, data in files]
        return await self.do(
            "say", channel=channel, user=user, text=text, mention=mention, reply_to=reply_to, ping_replied=ping_replied,
            kind=kind, webhook=webhook, bot=bot, files=sent, sticker=sticker,
            more=more or {},
        )  # fmt: skip

    async def edit(self, channel: str, message: str, text: str) -> None:
        """A person edits a message."""
        await self.do("edit", channel=channel, message=message, text=text)

    async def repeat(self, channel: str, message: str) -> None:
        """Discord sends the event of a message once more."""
        await self.do("repeat", channel=channel, message=message)

    async def delete(self, channel: str, message: str) -> None:
        """A moderator deletes a message, a bot's too."""
        await self.do("delete", channel=channel, message=message)

    async def purge(self, channel: str, *messages: str) -> None:
        """A moderator deletes many messages of a guild's channel at once."""
        await self.do("purge", channel=channel, messages=list(messages))

    async def preview(self, channel: str, message: str) -> None:
        """Discord puts a link's preview below a message: an update that is no edit."""
        await self.do("preview", channel=channel, message=message)

    async def slash(
        self, channel: str, user: str, name: str, argument: str | Json | None = None, *, locale: str = "en-US",
        bot: str | None = None,
    ) -> str:  # fmt: skip
        """Give a slash command and return the interaction's id; `argument`: its first option, or all by name.

        Raises ValueError when Discord's client does not let them: no such command here, or not such a value.
        """
        return await self.do("slash", channel=channel, user=user, name=name, argument=argument, locale=locale, bot=bot)

    async def press(self, channel: str, user: str, message: str, custom_id: str, *, locale: str = "en-US") -> str:
        """Press a button below a message and return the interaction's id. Raises ValueError when it has none such."""
        return await self.do("press", channel=channel, user=user, message=message, custom_id=custom_id, locale=locale)

    async def type(
        self, channel: str, user: str, name: str, option: str, typed: str = "", *, locale: str = "en-US"
    ) -> str:
        """Type into an option of a slash command that asks the bot for choices; returns the interaction's id."""
        return await self.do(
            "type", channel=channel, user=user, name=name, option=option, typed=typed, locale=locale
        )  # fmt: skip

    # What can be seen.

    async def choices(self, interaction: str) -> list[Json] | None:
        """The choices that the bot gave for what was typed; None: it did not answer yet."""
        return await self.do("choices", interaction=interaction)

    async def messages(self, channel: str, *, since: str = "0") -> list[Json]:
        """Messages after an id, oldest first, with `edits` ([time, text]), `pings`, `deleted`, `at`, `author`…"""
        return await self.do("messages", channel=channel, since=since)

    async def answers(self, channel: str, *, since: str = "0") -> list[Json]:
        """What bots wrote in a channel and is still there."""
        return [m for m in await self.messages(channel, since=since) if m["author_is_bot"] and not m["deleted"]]

    async def commands(self, bot: str | None = None) -> list[Json]:
        """The slash commands a bot (by its user id) has registered."""
        return await self.do("commands", bot=bot)

    async def calls(self, route: str | None = None) -> list[Json]:
        """REST calls so far, oldest first: `at`, `route`, `status` (0: cut), `channel`, `authorization`, `nonce`."""
        return await self.do("calls", route=route)

    async def stats(self) -> Json:
        """Counts: `identifies`, `resumes`, `identifies_left` by bot's user id; `connections`, `opened`, `calls` by
        route, `rate_limited`, `close_codes`.
        """
        return await self.do("stats")

    async def wait_for(self, condition: Callable[[], Awaitable[T]], timeout: float = 10.0) -> T:
        """Wait until `condition` gives something true; it is asked again after each change. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while True:
                seen = await self.do("change")
                found = await condition()
                if found:
                    return found
                await self.do("changed", since=seen)

    async def wait_for_answers(
        self, channel: str, count: int = 1, *, since: str = "0", timeout: float = 10.0
    ) -> list[Json]:
        """Wait for at least so many messages of bots."""

        async def enough() -> list[Json]:
            found = await self.answers(channel, since=since)
            return found if len(found) >= count else []

        return await self.wait_for(enough, timeout)

    async def wait_for_connections(self, count: int = 1, *, timeout: float = 10.0) -> None:
        """Wait until so many sessions are connected."""

        async def enough() -> bool:
            return (await self.stats())["connections"] >= count

        await self.wait_for(enough, timeout)

    # What goes wrong.

    async def fail(
        self,
        route: str,
        kind: FaultKind = "answer",
        *,
        count: int = 1,
        status: int = 500,
        body: Any = None,
        headers: dict[str, str] | None = None,
        seconds: float = 0.0,
        channel: str | None = None,
    ) -> None:
        """Let the next calls of a route fail; see `faults.Fault`. Route names: see `server.ROUTES`."""
        await self.do(
            "fail", route=route, kind=kind, count=count, status=status, body=body, headers=headers or {},
            seconds=seconds, channel=channel,
        )  # fmt: skip

    async def stop_failing(self) -> None:
        """No more faults."""
        await self.do("stop_failing")

    async def drop_sockets(self, code: int | None = None) -> int:
        """Close all gateway connections, or cut them without a word; sessions stay. Returns how many there were."""
        return await self.do("drop_sockets", code=code)

    async def ask_to_reconnect(self) -> None:
        """Send RECONNECT (opcode 7) on all connections."""
        await self.do("ask_to_reconnect")

    async def invalidate(self, *, resumable: bool) -> None:
        """Send INVALID SESSION (opcode 9) on all connections; not resumable ones are forgotten."""
        await self.do("invalidate", resumable=resumable)

    async def refuse_resumes(self, count: int = 1) -> None:
        """Answer the next RESUMEs with INVALID SESSION."""
        await self.do("refuse_resumes", count=count)

    async def revoke(self, bot: str | None = None) -> None:
        """A bot's token is reset in the portal."""
        await self.do("revoke", bot=bot)

    async def configure(self, **settings: Any) -> None:
        """Change settings; see `settings.Settings`. `identifies_left`: of all bots."""
        await self.do("configure", settings=settings)
