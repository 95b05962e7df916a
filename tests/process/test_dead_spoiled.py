"""`gptbot dead` with spoiled letters, as the command that a person runs: no traceback, and the letter is shown."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from tests.fakes.openai import FakeOpenAI
from tests.process.program import Valkey
from tests.process.test_in_pod import environment, gptbot

_LETTERS: dict[str, tuple[str, tuple[str | bytes, ...]]] = {
    "nothing that we know": ("1700000000000-0", ("x", "y")),
    "bytes": ("1700000000001-0", ("c", b"\xff", "r", b"\xff\xfe", "m", b"\xff")),
    "markup and an escape sequence": ("1700000000002-0", ("c", "c", "r", "broken [/b] [red]\x1b]0;gone\x07", "m", "[")),
    "deep": ("1700000000003-0", ("c", "c", "r", "deep", "m", "[" * 100_000)),
    "another version": ("1700000000004-0", ("c", "c", "r", "later", "m", '["an envelope of a later version"]')),
    "a name beyond all time": ("18446744073709551615-1", ("c", "c", "r", "far", "m", "")),
}


async def test_spoiled_letters_are_shown(tmp_path: Path, model: FakeOpenAI, valkey: Valkey) -> None:
    env = environment(tmp_path, model, valkey)
    key = BotKeys("shop/bot", b"").dead
    async with Store.connect(valkey.admin) as store:
        for identifier, fields in _LETTERS.values():
            await store.command("XADD", key, identifier, *fields)
        listed, *shown = await asyncio.gather(
            gptbot("dead", "list", env=env),
            gptbot("dead", "show", _LETTERS["bytes"][0], env=env),
            gptbot("dead", "show", _LETTERS["a name beyond all time"][0], env=env),
        )
        code, out, error = listed
        assert (code, error) == (0, "")
        assert all(identifier in out for identifier, _ in _LETTERS.values())
        assert "unreadable" in out
        assert "\x1b" not in out
        for code, out, error in shown:
            assert (code, error) == (0, "")
            assert "cannot be read" in out
        await store.command("DEL", key)
        await store.command("SET", key, "of another type")
        code, out, error = await gptbot("dead", "list", env=env)
        assert (code, out) == (0, "There are no dead letters.\n"), "the key is put aside"
        assert "Traceback" not in error
