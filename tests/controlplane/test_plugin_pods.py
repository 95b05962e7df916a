"""`kubectl gptbot` in pods: chat, dead and logs.

There is no kubelet here. A kubectl in front of the real one runs what is to run in a pod beside a worker, with the
environment that the operator gives a pod; all else, and every flag, is for the real one.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest_asyncio

from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.plugin import PATH, editor, gptbot
from tests.controlplane.programs import program as kubernetes
from tests.controlplane.running import OperatorProcess
from tests.fakes.openai import FakeOpenAI, Settings
from tests.process.conftest import MODEL_KEY
from tests.process.program import Valkey, program
from tests.process.test_in_pod import environment

FRONT = """#!{python}
import json, os, signal, sys
arguments = sys.argv[1:]
command = next((each for each in arguments if not each.startswith("-")), "")
if command == "exec":
    place = arguments.index("--")
    with open({log!r}, "a") as log:
        log.write(json.dumps(arguments[:place]) + "\\n")
    run = arguments[place + 1:]
    os.execvpe(run[0], run, json.load(open({env!r})))
if command == "logs":
    pod = [each for each in arguments if not each.startswith("-")][1:]
    text = open({said!r}).read() if not pod else f"[pod/{{pod[0]}}/gptbot] came later\\n"
    print(text, end="", flush=True)
    if "--follow" in arguments:
        signal.pause()
    sys.exit()
os.execv({real!r}, ["kubectl", *arguments])
"""


class Pods:
    """The front, and what it was told."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._front = directory / "front"
        self._front.mkdir()
        names = {name: str(directory / name) for name in ("log", "env", "said")}
        script = self._front / "kubectl"
        script.write_text(FRONT.format(python=sys.executable, real=str(kubernetes("kubectl")), **names))
        script.chmod(0o755)

    @property
    def path(self) -> str:
        """A PATH with the front first."""
        return os.pathsep.join([str(self._front), PATH])

    def environ(self, values: dict[str, str]) -> None:
        """What a pod's environment is."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{values['PATH']}"
        (self._directory / "env").write_text(json.dumps({**values, "PATH": path}))

    def say(self, text: str) -> None:
        """What `kubectl logs` prints."""
        (self._directory / "said").write_text(text)

    def executed(self) -> list[list[str]]:
        """Flags and pods of each `kubectl exec`."""
        return [json.loads(line) for line in (self._directory / "log").read_text().splitlines()]


@pytest_asyncio.fixture
async def model() -> AsyncGenerator[FakeOpenAI]:
    """A scripted model."""
    async with FakeOpenAI(Settings(api_key=MODEL_KEY)) as fake:
        yield fake


def running_gateway(bot: Bot) -> str:
    """The name of the bot's gateway, once it runs."""
    bot.the("HorizontalPodAutoscaler", "worker")
    bot.run_pods()
    [pod] = [p for p in bot.api.list("Pod", bot.namespace) if "-gateway-" in p["metadata"]["name"]]
    return pod["metadata"]["name"]


async def test_chat_and_dead_run_the_bots_own_program_in_a_gateway(
    make_bot: Callable[..., Bot], operator: OperatorProcess, plane: Plane, namespace: str, tmp_path: Path,
    model: FakeOpenAI,
) -> None:  # fmt: skip
    user = editor(plane, namespace)
    gateway = await asyncio.to_thread(running_gateway, make_bot())
    pods = Pods(tmp_path)
    (tmp_path / "valkey").mkdir()
    valkey = Valkey(tmp_path / "valkey")
    await valkey.start()
    pods.environ(environment(tmp_path, model, valkey))

    async def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        ended = await asyncio.to_thread(gptbot, user, *arguments, typed=typed, path=pods.path)
        return ended.returncode, ended.stdout, ended.stderr

    try:
        async with program("worker", env=json.loads((tmp_path / "env").read_text())) as worker:
            await worker.ready()
            model.say("Forty-two.", match="answer")
            assert await run("chat", "bot", "--session", "s", "What is the answer?") == (0, "Forty-two.\n", "")
            model.say("The question.", match="--what")
            assert await run("chat", "bot", "--session", "s", "--", "--what?") == (0, "The question.\n", "")
            assert len(model.requests[-1].messages) == 4, "one session is one conversation"
            model.say("One.", match="first")
            model.say("Two.", match="second")
            assert await run("chat", "bot", typed="first\nsecond\n") == (0, "One.\nTwo.\n", "")

            model.fail("refused")
            await run("chat", "bot", "A bad question")
            code, out, error = await run("dead", "bot", "list")
            letter = out.splitlines()[1].split()[0]
            code, out, error = await run("dead", "bot", "show", letter)
            assert (code, "A bad question" in out) == (0, True), error
            code, out, error = await run("dead", "bot", "show", "1-1")
            assert (code, out, "no dead letter 1-1" in error) == (1, "", True)
            assert await run("dead", "bot", "drop", "all") == (0, "dropped: 1\n", "")
    finally:
        await valkey.stop()
    once, talking = pods.executed()[0], pods.executed()[2]
    assert once == ["exec", "--quiet", "--container=gptbot", gateway]
    assert talking == ["exec", "--quiet", "--stdin", "--container=gptbot", gateway]
    for flags in (once, talking):
        ended = plane.kubectl("-n", namespace, *flags, "--", "gptbot", check=False)
        assert "does not have a host assigned" in ended.stderr, "the real kubectl takes these flags"


def test_without_a_gateway_it_is_said_why(
    make_bot: Callable[..., Bot], operator: OperatorProcess, plane: Plane, namespace: str
) -> None:
    user = editor(plane, namespace)
    bot = make_bot()
    bot.wait_settled()
    ended = gptbot(user, "chat", "bot", "Hello")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no gateway of bot is running; `kubectl gptbot doctor bot` says why" in ended.stderr
    bot.edit(suspend=True)
    bot.wait_condition("Ready", "False", "Suspended")
    wait_for(lambda: not bot.api.list("Pod", namespace), "no pods")
    assert "bot is suspended" in gptbot(user, "dead", "bot", "list").stderr
    assert "bot has no gateway pods" in gptbot(user, "logs", "bot", "--role", "gateway").stderr
    assert "there is no GptBot nobody" in gptbot(user, "logs", "nobody").stderr


def test_logs_of_all_pods_are_one(
    make_bot: Callable[..., Bot], operator: OperatorProcess, plane: Plane, namespace: str, tmp_path: Path
) -> None:
    user = editor(plane, namespace)
    running_gateway(make_bot())
    ended = gptbot(user, "logs", "bot", "--since", "5m", "--tail", "3")
    assert (ended.returncode, ended.stdout) == (0, ""), "the real kubectl takes the flags, and no kubelet says anything"

    pods = Pods(tmp_path)
    pods.say(
        '[pod/bot-gateway-1/gptbot] {"event": "connected", "level": "info", "timestamp": "2026-11-01T10:00:02Z"}\n'
        '[pod/bot-worker-1/gptbot] {"event": "started", "level": "info", "timestamp": "2026-11-01T10:00:01Z"}\n'
    )
    ended = gptbot(user, "logs", "bot", path=pods.path)
    assert ended.returncode == 0, ended.stderr
    first, second = ended.stdout.splitlines()
    assert first.split() == ["10:00:01Z", "bot-worker-1", "INFO", "started"]
    assert second.split() == ["10:00:02Z", "bot-gateway-1", "INFO", "connected"]


def _started(bot: Bot, pod: str, run: str) -> None:
    """Do what a kubelet would: the bot's container has started, as one that was not there before."""
    status = {
        "name": "gptbot", "image": "gptbot:test", "imageID": "", "ready": True, "restartCount": 0, "containerID": run,
    }  # fmt: skip
    bot.api.patch("Pod", bot.namespace, pod, {"status": {"containerStatuses": [status]}}, subresource="status")


def test_logs_that_are_followed_go_on_with_pods_that_come_later(
    make_bot: Callable[..., Bot], operator: OperatorProcess, plane: Plane, namespace: str, tmp_path: Path
) -> None:
    user = editor(plane, namespace)
    bot = make_bot()
    gateway = running_gateway(bot)
    _started(bot, gateway, "first")
    pods = Pods(tmp_path)
    pods.say(f"[pod/{gateway}/gptbot] was there\n")
    command = ["kubectl", "gptbot", "-n", namespace, "--kubeconfig", str(user), "logs", "bot", "--follow"]
    environ = {"PATH": pods.path, "HOME": str(tmp_path), "COLUMNS": "200"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().split() == [gateway, "was", "there"]
        _started(bot, gateway, "second")
        assert process.stdout.readline().split() == [gateway, "came", "later"]
        bot.api.delete("GptBot", namespace, "bot")
        assert process.stdout.read() == ""
        assert (process.wait(timeout=60), process.stderr.read()) == (0, "")
