"""The control API from another process: `RemoteTelegram(url)` has the methods of `FakeTelegram` that work over HTTP."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson
from pydantic import TypeAdapter

from tests.fakes.telegram.faults import FaultKind
from tests.fakes.telegram.state import Call, Json, Message

_MESSAGES = TypeAdapter(list[Message])
_CALLS = TypeAdapter(list[Call])
_ERRORS = {"TimeoutError": TimeoutError, "LookupError": LookupError, "KeyError": LookupError}


class RemoteTelegram:
    """A hand in a fake that runs elsewhere. Use it as an async context manager."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> RemoteTelegram:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def call(self, name: str, **arguments: Any) -> Any:
        """Any coroutine of `control.Control`, by name; gives its result as JSON. Raises what it raises."""
        assert self._http is not None, "use RemoteTelegram as an async context manager"
        timeout = aiohttp.ClientTimeout(total=float(arguments.get("timeout", 10)) + 10)
        body = orjson.dumps(arguments)
        async with self._http.post(f"{self.url}/control/{name}", data=body, timeout=timeout) as response:
            answer: Json = orjson.loads(await response.read())
        if "error" in answer:
            raise _ERRORS.get(answer["error"], ValueError)(answer["message"])
        return answer["result"]

    async def add_user(self, user_id: int, first_name: str = "Ada", **more: Any) -> None:
        """As `Control.add_user`."""
        await self.call("add_user", user_id=user_id, first_name=first_name, **more)

    async def add_group(self, chat_id: int, title: str = "Group", **more: Any) -> None:
        """As `Control.add_group`."""
        await self.call("add_group", chat_id=chat_id, title=title, **more)

    async def say(self, chat_id: int, user_id: int, text: str, **more: Any) -> Message:
        """As `Control.say`."""
        return _MESSAGES.validate_python([await self.call("say", chat_id=chat_id, user_id=user_id, text=text, **more)])[
            0
        ]

    async def messages(self, chat_id: int, **more: Any) -> list[Message]:
        """As `Control.messages`."""
        return _MESSAGES.validate_python(await self.call("messages", chat_id=chat_id, **more))

    async def calls(self, method: str | None = None, **more: Any) -> list[Call]:
        """As `Control.calls`."""
        return _CALLS.validate_python(await self.call("calls", method=method, **more))

    async def sent(self) -> dict[str, int]:
        """As `Control.sent`."""
        return await self.call("sent")

    async def inject(self, method: str, kind: FaultKind, **more: Any) -> None:
        """As `Control.inject`."""
        await self.call("inject", method=method, kind=kind, **more)

    async def wait_for_messages(self, chat_id: int, **more: Any) -> list[Message]:
        """As `Control.wait_for_messages`."""
        return _MESSAGES.validate_python(await self.call("wait_for_messages", chat_id=chat_id, **more))

    async def wait_for_calls(self, method: str, **more: Any) -> list[Call]:
        """As `Control.wait_for_calls`."""
        return _CALLS.validate_python(await self.call("wait_for_calls", method=method, **more))
