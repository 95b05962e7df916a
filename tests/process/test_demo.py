"""`make demo` as a person runs it: which model answers, where texts go, and another model when told to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gptbot.local import RUNNING
from gptbot.manifest import load
from scripts.demo import EXAMPLE, ROOT, Unusable, choose, manifest
from tests.fakes.openai import FakeOpenAI
from tests.ports import free_port
from tests.process.program import until
from tests.process.test_local import gptbot

KEY = "sk-of-the-test"
HERE = "nowhere: they stay on this machine"


@contextmanager
def ollama(body: bytes) -> Generator[str]:
    """An Ollama that lists its models; yields OLLAMA_HOST."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/tags" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base has it
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_nothing_is_sent_anywhere_unless_a_model_is_named() -> None:
    choice = choose({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "https://api.example.com/v1"})
    assert choice.llm is None
    assert choice.texts == HERE
    assert "English only" in choice.answers
    assert "for trying out" in choice.answers


def test_a_model_of_openai(tmp_path: Path) -> None:
    choice = choose({"MODEL": "gpt-5-mini", "OPENAI_API_KEY": KEY})
    assert KEY not in repr(choice)
    assert choice.texts == "to api.openai.com, after personal data is taken out"
    (tmp_path / "demo.yaml").write_text(manifest(choice))
    (config,) = load([tmp_path / "demo.yaml"])
    llm = config.bot.spec.llm
    assert (llm.base_url, llm.model, llm.embedded) == ("https://api.openai.com/v1", "gpt-5-mini", None)
    assert llm.api_key_secret_ref is not None
    assert config.secret(llm.api_key_secret_ref) == KEY
    (example,) = load([EXAMPLE])
    assert config.bot.spec.personas == example.bot.spec.personas


@pytest.mark.parametrize(
    ("base", "texts"),
    [
        ("http://127.0.0.1:8000/v1", HERE),
        ("http://localhost:8000/v1/", HERE),
        ("http://[::1]:8000/v1", HERE),
        ("https://openrouter.example/api/v1", "to openrouter.example, after personal data is taken out"),
    ],
)
def test_a_model_elsewhere_may_need_no_key(base: str, texts: str) -> None:
    choice = choose({"MODEL": "a-model", "OPENAI_BASE_URL": base})
    assert choice.texts == texts
    assert choice.llm == {"baseUrl": base.rstrip("/"), "model": "a-model"}


def test_a_model_of_ollama(tmp_path: Path) -> None:
    with ollama(json.dumps({"models": [{"name": "qwen3:4b"}, {"name": "gemma3:latest"}]}).encode()) as host:
        choice = choose({"OLLAMA": "qwen3:4b", "OLLAMA_HOST": host})
        assert choice.texts == HERE
        assert choice.answers == f"qwen3:4b, of Ollama at http://{host}"
        assert choose({"OLLAMA": "gemma3", "OLLAMA_HOST": f"http://{host}"}).llm is not None
        with pytest.raises(Unusable, match=r"no model llama3 \(it has qwen3:4b, gemma3:latest\): ollama pull"):
            choose({"OLLAMA": "llama3", "OLLAMA_HOST": host})
    (tmp_path / "demo.yaml").write_text(manifest(choice))
    (config,) = load([tmp_path / "demo.yaml"])
    assert config.bot.spec.llm.base_url == f"http://{host}/v1"


def test_a_model_that_ollama_runs_elsewhere_is_told_as_such() -> None:
    with ollama(b'{"models": [{"name": "gpt-oss:120b-cloud"}]}') as host:
        assert choose({"OLLAMA": "gpt-oss:120b-cloud", "OLLAMA_HOST": host}).texts.startswith("to ollama.com")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"models": 1}', b'{"models": [1]}', b'"'])
def test_what_is_no_ollama_is_said(body: bytes) -> None:
    with ollama(body) as host, pytest.raises(Unusable, match=f"(answers at|at) http://{host}.*OLLAMA_HOST="):
        choose({"OLLAMA": "qwen3:4b", "OLLAMA_HOST": host})


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"OLLAMA": "a", "FILE": "b"}, "OLLAMA and FILE each name a model"),
        ({"MODEL": "gpt-5-mini"}, "needs a key: OPENAI_API_KEY="),
        ({"MODEL": "a", "OPENAI_BASE_URL": "api.example.com"}, "has to be the address of an API"),
        (
            {"OLLAMA": "qwen3:4b", "OLLAMA_HOST": "127.0.0.1:1"},
            r"no Ollama answers at http://127.0.0.1:1 .*serve",
        ),
    ],
)
def test_mistakes_say_what_to_do(environment: dict[str, str], says: str) -> None:
    with pytest.raises(Unusable, match=says):
        choose(environment)


async def test_the_demo_with_a_model_that_is_named(tmp_path: Path, model: FakeOpenAI) -> None:
    key, port = model.settings.api_key or "", free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GPTBOT_")} | {
        "MODEL": "scripted", "OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": key,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "scripts.demo", "--port", str(port), "--data-dir", str(tmp_path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=environment, cwd=ROOT,
    )  # fmt: skip
    file = tmp_path / "demo.yaml"
    try:
        await until(lambda: (tmp_path / RUNNING).exists() or process.returncode is not None)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        model.say("The answer of the model that was named.")
        code, out, error = await gptbot("chat", "-f", str(file), "A question", data=tmp_path)
        assert (code, out.strip()) == (0, "The answer of the model that was named."), error
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert not file.exists()
    assert key not in said.decode()
    assert said.decode().splitlines()[:2] == [
        "» the model that answers: scripted, at 127.0.0.1",
        f"» where texts go: {HERE}",
    ]
