"""A model of an owner's file: found, checked, served under its name."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from gptbot.embedded.errors import EmbeddedError
from gptbot.embedded.file import ModelFile, find_model
from gptbot.embedded.model import EmbeddedModel
from gptbot.llm.client import ModelClient
from gptbot.llm.types import Endpoint
from gptbot.local import embedded
from gptbot.manifest import BotConfig
from gptbot.process import Settings as ProcessSettings
from gptbot.process import open_bots
from gptbot_api import InvalidManifest, parse

FALSE = "0" * 64


def config(name: str, **settings: object) -> BotConfig:
    spec = {"platforms": {"web": {}}, "llm": {"embedded": settings}}
    return BotConfig(
        parse({"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": name}, "spec": spec})
    )


async def test_it_answers_by_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "My-Model.Q4_K_M.gguf"
    path.symlink_to(find_model())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest().upper()
    async with (
        EmbeddedModel(parallel=1, file=ModelFile(path, sha256), window=512) as model,
        aiohttp.ClientSession() as http,
    ):
        assert model.model == "my-model.q4_k_m"
        async with http.get(f"{model.base_url}/models") as answer:
            assert [entry["id"] for entry in (await answer.json())["data"]] == [model.model]
        client = ModelClient(http, [Endpoint(model.base_url, None, model.model, {"max_tokens": 4})])
        assert (await client.complete([{"role": "user", "content": "Say hello."}])).text


async def test_a_file_of_another_content_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    shutil.copy(find_model(), path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(EmbeddedError, match=f"has the SHA-256 {found}, and {FALSE} is asked for"):
        await EmbeddedModel(file=ModelFile(path, FALSE)).__aenter__()


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read: No such file"), (b"", "is no GGUF file"), (b"PK\3\4", "is no GGUF file")],
)
async def test_what_is_no_model_is_named(content: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EmbeddedError, match=says) as error:
        await EmbeddedModel(file=ModelFile(path)).__aenter__()
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--sha256", FALSE], "give the file too"),
        (["--file", "model.gguf", "--sha256", "abc"], "64 hexadecimal digits"),
        (["--file", "model.gguf", "--sha256", FALSE], "and 0000"),
    ],
)
async def test_mistakes_in_options_are_named(arguments: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF but no more")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gptbot", "model", "--port", "1", *arguments, stderr=asyncio.subprocess.PIPE, cwd=tmp_path
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert says in said.decode()
    assert "Traceback" not in said.decode()


def test_a_checksum_needs_a_file() -> None:
    with pytest.raises(InvalidManifest, match="sha256 is that of file"):
        config("a", sha256=FALSE)


async def test_one_process_serves_one_model(tmp_path: Path) -> None:
    configs = [config("a"), config("b", file="model.gguf")]
    with pytest.raises(EmbeddedError, match=re.escape("default/b: spec.llm.embedded.file is model.gguf, and not set")):
        async with embedded(configs, tmp_path):
            pass


async def test_where_no_file_is_loaded_a_bot_that_names_one_does_not_start() -> None:
    """In a pod, or beside GPTBOT_MODEL_URL: else another model would answer under its name."""
    settings = ProcessSettings(store_url="redis://127.0.0.1:1/0", model=("http://127.0.0.1:1/v1", "another"))
    async with AsyncExitStack() as stack:
        with pytest.raises(InvalidManifest, match="model here is another: files are loaded by `gptbot run`"):
            await open_bots(stack, [config("a", file="model.gguf")], settings)
