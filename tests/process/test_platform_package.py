"""`examples/platform-package`, installed as its users install it: a bot answers on it, and its settings are checked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from gptbot.local import RUNNING
from tests.fakes.openai import FakeOpenAI
from tests.process.conftest import MODEL_KEY
from tests.process.program import program, until, write_manifest

ROOT = Path(__file__).parents[2]
TOKEN = "0123456789abcdef0123456789abcdef"
FIELDS = {"id", "chat", "replyTo", "text", "final", "buttons"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the package is installed into. It is built of a copy, since building leaves files behind."""
    source, target = tmp_path_factory.mktemp("source") / "package", tmp_path_factory.mktemp("target")
    shutil.copytree(ROOT / "examples" / "platform-package", source)
    uv = Path(sys.executable).with_name("uv")
    options = ("--quiet", "--offline", "--no-deps", "--no-build-isolation", "--python", sys.executable)
    subprocess.run([uv, "pip", "install", *options, "--target", target, source], check=True, timeout=120)
    return target


class Side:
    """The other side: takes answers, and refuses what the package does not promise."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.url = ""
        self.busy = 0

    async def take(self, request: web.Request) -> web.Response:
        answer = orjson.loads(await request.read())
        if request.headers.get("Authorization") != f"Bearer {TOKEN}" or answer.keys() != FIELDS:
            return web.Response(status=400)
        if self.busy:
            self.busy -= 1
            return web.Response(status=429, headers={"Retry-After": "1"})
        before = self.answers.get(answer["id"])
        if before is not None and (before["final"] and answer["text"] != before["text"]):
            return web.Response(status=409)
        self.answers[answer["id"]] = answer
        return web.Response()

    @property
    def texts(self) -> list[str]:
        """Of finished answers."""
        return [answer["text"] for answer in self.answers.values() if answer["final"]]


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    made = Side()
    app = web.Application()
    app.router.add_post("/answers", made.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/answers"
    yield made
    await runner.cleanup()


def manifest(path: Path, model: FakeOpenAI, **relay: Any) -> Path:
    settings = {"tokenSecretRef": {"name": "bot", "key": "relay"}, **relay}
    llm = {"baseUrl": model.base_url, "apiKeySecretRef": {"name": "bot", "key": "model"}, "model": "m"}
    spec = {"platforms": {"extra": {"relay": settings}}, "llm": llm, "access": {"deny": ["relay:user:mallory"]}}
    return write_manifest(path, spec, {"relay": TOKEN, "model": MODEL_KEY})


def validate(file: Path, installed: Path) -> tuple[int, str]:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "gptbot", "validate", "-f", str(file)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return ended.returncode, ended.stderr


async def test_a_bot_answers_on_it(tmp_path: Path, installed: Path, side: Side, model: FakeOpenAI) -> None:
    file = manifest(tmp_path / "bot.yaml", model, replyUrl=side.url)
    data = tmp_path / "data"
    async with (
        program("run", "-f", str(file), "--data-dir", str(data), env={"PYTHONPATH": str(installed)}) as bot,
        aiohttp.ClientSession() as http,
    ):
        await bot.ready()
        await until(lambda: (data / RUNNING).exists())
        url = f"http://127.0.0.1:{orjson.loads((data / RUNNING).read_bytes())['port']}/relay/messages"

        async def post(body: Any, token: str = TOKEN) -> int:
            data = body if isinstance(body, bytes) else orjson.dumps(body)
            async with http.post(url, data=data, headers={"Authorization": f"Bearer {token}"}) as answer:
                return answer.status

        message = {"id": "1", "chat": "room", "user": "anna", "text": "Are you there?"}
        assert await post(message, "wrong") == 401
        assert [await post(body) for body in (b"{", {"id": "1"}, message | {"id": "a b"})] == [400, 400, 400]
        assert await post(b" " * 70_000) == 413
        model.say("Yes, I am.")
        side.busy = 1
        assert await post(message) == 202
        await until(lambda: side.texts == ["Yes, I am."])
        assert await post(message) == 202  # a second delivery is answered once
        assert await post(message | {"id": "2", "user": "mallory", "text": "And me?"}) == 202
        model.say("Still here.")
        assert await post(message | {"id": "3", "text": "Still?"}) == 202
        await until(lambda: "Still here." in side.texts)
        assert "Yes, I am." in side.texts
        assert len(model.requests) == 2
        assert {answer["chat"] for answer in side.answers.values()} == {"room"}
        assert await bot.stop() == 0


def test_its_settings_are_checked_by_its_own_model(tmp_path: Path, installed: Path, model: FakeOpenAI) -> None:
    wrong = manifest(tmp_path / "bot.yaml", model, replyUrl="ftp://a", retries=3)
    code, error = validate(wrong, installed)
    assert code == 1
    assert 'spec.platforms.extra.relay.retries: unknown field "retries"' in error
    assert 'spec.platforms.extra.relay.replyUrl: Invalid value: "ftp://a"' in error
    good = manifest(tmp_path / "good.yaml", model, replyUrl="http://127.0.0.1:9/answers")
    assert validate(good, installed) == (0, "")


def test_its_own_example_says_what_to_fill_in(installed: Path) -> None:
    code, error = validate(ROOT / "examples" / "platform-package" / "bot.yaml", installed)
    assert (code, error.count("\n"), "relay.tokenSecretRef" in error, "stands for the value" in error) == (
        1,
        1,
        True,
        True,
    )


def test_an_environment_that_is_made_anew_knows_what_to_put_back(installed: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "installed_platforms.py")]
    with_it = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True
    )
    without = subprocess.run(command, capture_output=True, text=True, check=True)
    [line] = set(with_it.stdout.splitlines()) - set(without.stdout.splitlines())
    assert line.endswith("/package")
    assert Path(line).is_absolute()
