"""`gptbot run`, `chat` and `validate` as a person uses them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from gptbot.local import RUNNING
from tests.fakes.openai import FakeOpenAI
from tests.process.program import program, until, write_manifest


async def gptbot(*arguments: str, data: Path | None = None) -> tuple[int, str, str]:
    """Run to the end: exit code, standard output, standard error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GPTBOT_")}
    if data:
        environment["GPTBOT_DATA_DIR"] = str(data)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gptbot", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            out, error = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


def web_spec(model: FakeOpenAI) -> dict[str, object]:
    return {
        "platforms": {"web": {}},
        "llm": {
            "baseUrl": model.base_url,
            "model": "scripted",
            "apiKeySecretRef": {"name": "bot", "key": "model"},
        },
    }


async def test_chat_with_a_bot_that_is_not_running(tmp_path: Path, model: FakeOpenAI) -> None:
    file = write_manifest(tmp_path / "bot.yaml", web_spec(model), {"model": model.settings.api_key or ""})
    model.say("An answer of several words.", tokens_per_second=30)
    code, out, error = await gptbot("chat", "-f", str(file), "A question", data=tmp_path / "data")
    assert (code, out.strip()) == (0, "An answer of several words."), error


async def test_chat_with_running_bots_and_a_restart_that_keeps_the_conversation(
    tmp_path: Path, model: FakeOpenAI
) -> None:
    key = model.settings.api_key or ""
    files = [
        write_manifest(tmp_path / "a.yaml", web_spec(model), {"model": key}, name="a"),
        write_manifest(tmp_path / "b.yaml", web_spec(model), {"model": key}, name="b"),
    ]
    for path in files:
        path.write_text(path.read_text().replace("name: bot", f"name: {path.stem}"))
    data = tmp_path / "data"
    arguments = ["run", "-f", str(files[0]), "-f", str(files[1]), "--data-dir", str(data)]
    both = ["-f", str(files[0]), "-f", str(files[1])]
    async with program(*arguments) as bots:
        await bots.ready()
        await until(lambda: (data / RUNNING).exists())
        assert (data / RUNNING).stat().st_mode & 0o077 == 0
        model.say("First answer.")
        code, out, error = await gptbot("chat", *both, "--bot", "a", "--session", "s", "First question", data=data)
        assert (code, out.strip()) == (0, "First answer."), error
        code, _, error = await gptbot("chat", *both, "Whom do I ask?", data=data)
        assert code == 1
        assert "default/a, default/b" in error
        assert await bots.stop(signal.SIGINT) == 0
    assert not (data / RUNNING).exists()
    async with program(*arguments) as bots:
        await bots.ready()
        await until(lambda: (data / RUNNING).exists())
        model.say("Second answer.")
        code, out, error = await gptbot("chat", *both, "--bot", "a", "--session", "s", "Second question", data=data)
        assert (code, out.strip()) == (0, "Second answer."), error
        told = [message["content"] for message in model.requests[-1].messages[1:]]
        assert told == ["First question", "First answer.", "Second question"]
        assert await bots.stop() == 0


async def test_faults_are_named_the_same_by_validate_and_run(tmp_path: Path, model: FakeOpenAI) -> None:
    spec = web_spec(model) | {"workers": {"minReplicas": 3, "maxReplicas": 2}, "defaultPersona": "nobody"}
    file = write_manifest(tmp_path / "bot.yaml", spec, {})
    for command in (("validate",), ("run", "--data-dir", str(tmp_path / "data"))):
        code, out, error = await gptbot(*command, "-f", str(file))
        assert code == 1
        assert not out
        lines = [line.removeprefix(f"gptbot: {file}: ") for line in error.splitlines()]
        assert lines == [
            "spec.defaultPersona: Invalid value: defaultPersona must be the name of one of personas",
            "spec.workers.minReplicas: Invalid value: minReplicas must not be greater than maxReplicas",
        ]


async def test_other_mistakes_say_what_to_do(tmp_path: Path, model: FakeOpenAI) -> None:
    good = write_manifest(tmp_path / "bot.yaml", web_spec(model), {"model": "k"})
    data = tmp_path / "data"
    code, out, error = await gptbot("validate", "-f", str(good))
    assert (code, out) == (0, "default/bot: valid\n"), error

    code, _, error = await gptbot("validate", "-f", str(tmp_path / "none.yaml"))
    assert (code, "cannot be read" in error) == (1, True), error
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    code, _, error = await gptbot("validate", "-f", str(broken))
    assert (code, "not valid YAML" in error) == (1, True), error

    lacking = write_manifest(tmp_path / "lacking.yaml", web_spec(model), {"other": "k"})
    code, _, error = await gptbot("run", "-f", str(lacking), data=data)
    assert code == 1
    assert "spec.llm.apiKeySecretRef: Secret 'bot' in namespace 'default' has no key 'model'" in error
    assert "Traceback" not in error

    code, _, error = await gptbot("worker", "--manifest", str(good))
    assert (code, "GPTBOT_PEPPER" in error) == (1, True), error
    async with program("run", "-f", str(good), "--data-dir", str(data)) as bot:
        await bot.ready()
        code, _, error = await gptbot("run", "-f", str(good), "--http-port", "0", data=data)
        assert (code, "in use" in error) == (1, True), error
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    code, _, error = await gptbot("run", "-f", str(good), "--http-port", str(port), data=tmp_path / "data2")
    assert code == 1
    assert str(port) in error
    assert "Traceback" not in error
    taken.close()


async def test_a_bot_that_names_no_model_has_the_embedded_one(tmp_path: Path) -> None:
    spec = {"platforms": {"web": {}}, "llm": {"parameters": {"max_tokens": 4, "temperature": 0}}}
    file = write_manifest(tmp_path / "bot.yaml", spec, {})
    code, out, error = await gptbot("validate", "-f", str(file))
    assert (code, "spec.llm names no model: `gptbot run` takes the embedded one" in out) == (0, True), error
    code, out, error = await gptbot("chat", "-f", str(file), "Say hello.", data=tmp_path / "data")
    assert (code, bool(out.strip())) == (0, True), error


async def test_dead_letters_are_listed_shown_retried_and_dropped(tmp_path: Path, model: FakeOpenAI) -> None:
    file = str(write_manifest(tmp_path / "bot.yaml", web_spec(model), {"model": model.settings.api_key or ""}))
    data = tmp_path / "data"
    code, _, error = await gptbot("dead", "list", "-f", file, data=data)
    assert (code, "is not running here" in error) == (1, True), error
    async with program("run", "-f", file, "--data-dir", str(data)) as bot:
        await bot.ready()
        await until(lambda: (data / RUNNING).exists())
        code, out, _ = await gptbot("dead", "list", "-f", file, data=data)
        assert (code, out) == (0, "There are no dead letters.\n")
        for number in range(2):
            model.fail("refused")
            code, out, error = await gptbot("chat", "-f", file, f"Question {number}", data=data)
            assert (code, "refused" in out, "the model gave no answer" in error) == (1, True, True), error
        code, out, _ = await gptbot("dead", "list", "-f", file, data=data)
        letters = [line.split()[0] for line in out.splitlines()[1:]]
        assert len(letters) == 2
        assert "model: refused" in out
        code, out, _ = await gptbot("dead", "show", letters[0], "-f", file, data=data)
        assert "Question 1" in out
        code, _, error = await gptbot("dead", "show", "1-1", "-f", file, data=data)
        assert (code, "no dead letter 1-1" in error) == (1, True)
        code, out, _ = await gptbot("dead", "drop", letters[1], "-f", file, data=data)
        assert out == "dropped: 1\n"
        asked = len(model.requests)
        code, out, _ = await gptbot("dead", "retry", "all", "-f", file, data=data)
        assert out == "tried again: 1\n"
        await model.wait_requests(asked + 1)
        assert model.requests[-1].last_user_message == "Question 1"
        code, out, _ = await gptbot("dead", "list", "-f", file, data=data)
        assert out == "There are no dead letters.\n"


async def test_what_cannot_be_right_is_said_before_anything_starts_and_doubts_besides(
    tmp_path: Path, model: FakeOpenAI
) -> None:
    spec = web_spec(model) | {"context": {"ttl": "48h"}}
    unfilled = write_manifest(tmp_path / "unfilled.yaml", spec, {"model": "${MODEL_KEY}"})
    for command in (("validate",), ("run", "--data-dir", str(tmp_path / "data"))):
        code, out, error = await gptbot(*command, "-f", str(unfilled))
        assert (code, out) == (1, "")
        assert "spec.llm.apiKeySecretRef: Secret 'bot' in namespace 'default', key 'model': is a variable" in error
        assert "MODEL_KEY" not in error
    assert not (tmp_path / "data").exists()
    doubtful = write_manifest(tmp_path / "doubtful.yaml", spec, {"model": "k"})
    code, out, error = await gptbot("validate", "-f", str(doubtful))
    assert (code, out) == (0, "default/bot: valid\n")
    assert error.startswith(f"gptbot: warning: {doubtful}: spec.context.ttl: is longer than privacy.retention")
