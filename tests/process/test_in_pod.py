"""What a person runs in a pod: `gptbot chat` and `gptbot dead`, with the environment that the operator sets."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gptbot import locales
from gptbot.chat import TROUBLES
from gptbot_api import parse
from gptbot_api.references import references
from gptbot_operator.desired.config import config_map
from gptbot_operator.desired.context import Context
from gptbot_operator.desired.gateway import gateway
from gptbot_operator.desired.secret import secret
from gptbot_operator.settings import Settings
from tests.fakes.openai import FakeOpenAI
from tests.process import kubelet
from tests.process.conftest import MODEL_KEY
from tests.process.program import PEPPER, Valkey, program


def environment(directory: Path, model: FakeOpenAI, valkey: Valkey, **spec: Any) -> dict[str, str]:
    """What the operator gives a gateway's container, with its mounted files in a directory here."""
    document = {
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot",
        "metadata": {"name": "bot", "namespace": "shop", "uid": "1", "generation": 1},
        "spec": {
            "platforms": {"web": {}},
            "llm": {"baseUrl": model.base_url, "model": "m", "apiKeySecretRef": {"name": "keys", "key": "model"}},
            **spec,
        },
    }  # fmt: skip
    bot = parse(document)
    values = {"model": MODEL_KEY, "store": valkey.admin}
    wanted = tuple(references(bot))
    context = Context(
        settings=Settings(image="i", store_url=valkey.admin), pepper=PEPPER, references=wanted,
        store_url=None if bot.spec.store else valkey.admin,
        digests={each: hashlib.sha256(values[each.key].encode()).hexdigest() for each in wanted},
    )  # fmt: skip
    template = gateway(bot, context)["spec"]["template"]
    assert template["spec"]["containers"][0]["args"] == ["gateway"]
    there = kubelet.objects([config_map(bot), secret(bot, context)], keys=values)
    told = kubelet.start(template, there, directory / "pod")
    return told | {"HOME": str(directory / "home"), "PATH": os.environ["PATH"]}


@asynccontextmanager
async def running(directory: Path, model: FakeOpenAI, valkey: Valkey, **spec: Any) -> AsyncGenerator[dict[str, str]]:
    """A worker; yields the environment of a pod beside it."""
    env = environment(directory, model, valkey, **spec)
    async with program("worker", env=env) as worker:
        await worker.ready()
        yield env


async def gptbot(*arguments: str, env: dict[str, str], typed: str = "") -> tuple[int, str, str]:
    """Run to the end: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gptbot", *arguments, env=env,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, error = await process.communicate(typed.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


async def test_a_question_is_answered_by_the_bots_own_workers(
    tmp_path: Path, model: FakeOpenAI, valkey: Valkey
) -> None:
    async with running(tmp_path, model, valkey) as env:
        model.say("Yes, here.")
        code, out, error = await gptbot("chat", "Are you there?", env=env)
        assert (code, out) == (0, "Yes, here.\n"), error
        assert not error
        assert not (tmp_path / "home").exists(), "a pod's root file system is read-only"


async def test_a_bot_with_a_store_of_its_own_answers(tmp_path: Path, model: FakeOpenAI, valkey: Valkey) -> None:
    store = {"urlSecretRef": {"name": "keys", "key": "store"}}
    async with running(tmp_path, model, valkey, store=store) as env:
        assert "GPTBOT_STORE_URL" not in env
        model.say("Yes, in my own.")
        code, out, error = await gptbot("chat", "Are you there?", env=env)
        assert (code, out) == (0, "Yes, in my own.\n"), error


async def test_lines_of_the_input_are_one_conversation(tmp_path: Path, model: FakeOpenAI, valkey: Valkey) -> None:
    async with running(tmp_path, model, valkey) as env:
        model.say("Twelve.", match="How many")
        model.say("Thirteen.", match="And one more")
        code, out, error = await gptbot("chat", env=env, typed="How many?\n\n  And one more?")
        assert (code, out) == (0, "Twelve.\nThirteen.\n"), error
        told = [message["content"] for message in model.requests[-1].messages[1:]]
        assert told == ["How many?", "Twelve.", "And one more?"]

        model.say("You asked how many.")
        code, out, error = await gptbot("chat", "--session", "other", "What did I ask?", env=env)
        assert (code, out) == (0, "You asked how many.\n"), error
        assert len(model.requests[-1].messages) == 2, "another session is another conversation"


async def test_a_question_that_is_not_taken_is_an_exit_code(tmp_path: Path, model: FakeOpenAI, valkey: Valkey) -> None:
    access = {"allow": ["telegram:user:1"]}
    async with running(tmp_path, model, valkey, access=access) as env:
        code, out, error = await gptbot("chat", "Let me in", env=env)
        assert (code, out) == (1, "")
        assert error.startswith("gptbot: the bot does not take the message: ")
        code, out, error = await gptbot("chat", env=env, typed="Let me in\nPlease\n")
        assert (code, out) == (1, "")
        assert error.splitlines()[-1] == "gptbot: 2 of the questions got no answer"


async def test_a_store_that_is_away_is_said(tmp_path: Path, model: FakeOpenAI, valkey: Valkey) -> None:
    env = environment(tmp_path, model, valkey)
    await valkey.stop()
    for command in (("chat", "Hello"), ("dead", "list")):
        code, out, error = await gptbot(*command, env=env)
        assert (code, out) == (1, "")
        assert "the store cannot be reached" in error
        assert "Traceback" not in error


async def test_what_the_bot_says_of_a_model_that_fails_is_no_answer(
    tmp_path: Path, model: FakeOpenAI, valkey: Valkey
) -> None:
    async with running(tmp_path, model, valkey) as env:
        model.fail("empty", times=None)
        code, out, error = await gptbot("chat", "--no-wait", "Say nothing.", env=env)
        assert (code, "empty answer" in out, "the model gave no answer" in error) == (1, True, True), error


async def test_an_answer_that_breaks_off_is_none(tmp_path: Path, model: FakeOpenAI, valkey: Valkey) -> None:
    async with running(tmp_path, model, valkey) as env:
        model.say("All is well.", match="How are you?")
        model.fail("cut", match="And now?", times=None)
        code, out, error = await gptbot("chat", "--no-wait", env=env, typed="How are you?\nAnd now?\n")
        assert (code, "All is well." in out, "broke off" in out) == (1, True, True), error
        assert "1 of the questions got no answer" in error


async def test_questions_that_got_no_answer_hold_up_none(tmp_path: Path, model: FakeOpenAI, valkey: Valkey) -> None:
    async with running(tmp_path, model, valkey) as env:
        model.fail("overloaded", match="How are you?", times=None)
        model.say("All is well.", match="And now?")
        code, out, error = await gptbot("chat", "--no-wait", env=env, typed="How are you?\nAnd now?\n")
        assert (code, "overloaded" in out, out.endswith("All is well.\n")) == (1, True, True), error
        assert "1 of the questions got no answer" in error
        code, out, error = await gptbot("chat", "!stop", env=env)
        assert (code, out) == (0, "I am not writing an answer, so there is nothing to stop.\n"), error


def test_every_text_that_stands_for_an_answer_is_known() -> None:
    written = "".join(path.read_text() for path in Path(locales.__file__).parent.glob("*en.ftl"))
    assert set(re.findall(r"^trouble-([\w-]+) =", written, re.MULTILINE)) == set(TROUBLES)


async def test_dead_letters_need_no_arguments(tmp_path: Path, model: FakeOpenAI, valkey: Valkey) -> None:
    async with running(tmp_path, model, valkey) as env:
        model.fail("refused")
        code, out, error = await gptbot("chat", "A bad question", env=env)
        assert (code, "the model gave no answer" in error) == (1, True), error
        code, out, error = await gptbot("dead", "list", env=env)
        assert code == 0, error
        letter = out.splitlines()[1].split()[0]
        code, out, error = await gptbot("dead", "show", letter, env=env)
        assert "A bad question" in out, error
        code, out, error = await gptbot("dead", "drop", "all", env=env)
        assert (code, out) == (0, "dropped: 1\n"), error
