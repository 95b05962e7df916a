"""What nobody answers goes from the store, by a gateway that runs, and people who wrote it are not answered with it."""

from __future__ import annotations

from pathlib import Path

from gptbot.inbox.keys import BotKeys
from gptbot.inbox.store import Store
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import secrets, spec
from tests.process.program import BOT, PEPPER, Valkey, program, until, write_manifest
from tests.process.residue import dump
from tests.process.test_gateways import until as until_true

ADA = 11
KEYS = BotKeys(BOT, PEPPER.encode())


async def test_a_gateway_without_workers_drops_what_waits_too_long(
    tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey
) -> None:
    wanted = spec(telegram, model, privacy={"retention": "5s"}, context={"ttl": "5s"})
    file = str(write_manifest(tmp_path / "bot.yaml", wanted, secrets(telegram)))
    async with (
        Store.connect(valkey.admin) as store,
        program("gateway", "--manifest", file, store=valkey.url) as gateway,
    ):

        async def holds(words: str) -> bool:
            return any(each.holds(words) for each in await dump(store))

        async def dropped() -> bool:
            return not await holds("marmalade")

        async def taken() -> bool:
            return await holds("marmalade")

        await gateway.ready()
        await telegram.say(ADA, ADA, "what is marmalade made of")
        await until_true(taken)
        # A key that cannot be read is put aside and named, and neither the gateway nor the sweep ends with it.
        await store.command("SET", KEYS.dead, "of another type")
        await until_true(dropped)
        trouble = "a key of the store cannot be read; it is put aside, and what it held begins anew"
        named = await until(lambda: gateway.said(trouble))
        assert (named["key"], named["bot"]) == ("dead", BOT)
        assert await until(lambda: gateway.said("messages waited too long and were dropped", messages=1))
        assert await store.command("XLEN", KEYS.runnable) == 0
        assert b"marmalade" not in gateway.raw

        model.say("Of oranges.", match="oranges", times=None)
        async with program("worker", "--manifest", file, store=valkey.url) as worker:
            await worker.ready()
            await telegram.say(ADA, ADA, "is it made of oranges")
            await until(lambda: [one for one in telegram.world.chats[ADA].messages.values() if one.from_bot])
        answers = [one.text for one in telegram.world.chats[ADA].messages.values() if one.from_bot]
        assert len(answers) == 1
        assert "marmalade" not in str([request.messages for request in model.requests])
