"""The store as its pod starts it: the rendered script and configuration, run by a real Valkey."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from gptbot.embedded.valkey import find_binary
from gptbot_api.store_rights import rules
from tests.chart.rendering import find, render

COMMAND_LINE = Path(__file__).parent.parent / "fakes" / "valkey_cli.py"
IMAGES = {"bot image": {}, "Valkey's image": {"useBotImage": False}}
PASSWORD = """it's "quoted" $HOME \\ and > long #enough"""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Pod:
    """The store's container as it runs here."""

    process: subprocess.Popen[bytes]
    probes: dict[str, list[str]]
    """Name of a probe to what it runs."""
    environment: dict[str, str]

    def passes(self, name: str) -> bool:
        """Whether a probe, run in the container, does."""
        return self._run(name).returncode == 0

    def refusal(self, name: str) -> str:
        """What a probe says that fails."""
        ended = self._run(name)
        assert ended.returncode != 0, name
        return ended.stdout + ended.stderr or "?"

    def _run(self, name: str) -> subprocess.CompletedProcess[str]:
        command = self.probes[f"{name}Probe"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def store(
    directory: Path, port: int, password: str = PASSWORD, values: Mapping[str, Any] | None = None
) -> Generator[Pod]:
    """The store's container, with its paths under a directory of the test's own; `values` under `valkey`."""
    objects = render({"valkey": dict(values or {})})
    container = find(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    paths = {
        "/tmp/": f"{directory / 'tmp'}/",
        "/etc/valkey/": f"{directory}/",
        "/data": str(directory),
        "6379": str(port),
    }

    def moved(text: str) -> str:
        for old, new in paths.items():
            text = text.replace(old, new)
        return text

    for name, text in find(objects, "ConfigMap", "-store")["data"].items():
        (directory / name).write_text(moved(text))
    (directory / "tmp").mkdir(exist_ok=True)
    (directory / "bin").mkdir(exist_ok=True)
    (directory / "bin" / "valkey-server").unlink(missing_ok=True)
    (directory / "bin" / "valkey-server").symlink_to(find_binary())
    for name, program in (("python", Path(sys.executable)), ("valkey-cli", COMMAND_LINE)):
        (directory / "bin" / name).unlink(missing_ok=True)
        (directory / "bin" / name).symlink_to(program)
    environment = {"STORE_PASSWORD": password, "PATH": f"{directory / 'bin'}:{os.environ['PATH']}"}
    probes = {name: [*map(moved, value["exec"]["command"])] for name, value in container.items() if "Probe" in name}
    command = [*container["command"], *map(moved, container["args"])]
    with (
        (directory / "log").open("ab") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_until_it_listens(process, port, directory)
            yield Pod(process, probes, environment)
        finally:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError((directory / "log").read_text())


def _client(port: int, password: str | None) -> redis.Redis:
    return redis.Redis(port=port, password=password, socket_timeout=60)


def test_only_who_has_the_password_gets_in_whatever_its_characters(tmp_path: Path, port: int) -> None:
    with store(tmp_path, port):
        with _client(port, PASSWORD) as client:
            assert client.ping()
        for wrong in (None, "guessed"):
            with _client(port, wrong) as client, pytest.raises(redis.AuthenticationError):
                client.ping()


def test_the_password_is_in_no_file_argument_or_variable_of_the_server(tmp_path: Path, port: int) -> None:
    with store(tmp_path, port) as pod:
        server = psutil.Process(pod.process.pid)
        assert "valkey-server" in server.name(), "the shell made way for it"
        seen = [word.encode() for word in [*server.cmdline(), *server.environ().values()]]
        seen += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
        assert not [text for text in seen if PASSWORD.encode() in text]
        assert (tmp_path / "users.acl").stat().st_mode & 0o077 == 0


def test_a_restart_keeps_the_bots_users_and_changes_the_operators_password(tmp_path: Path, port: int) -> None:
    with store(tmp_path, port), _client(port, PASSWORD) as client:
        client.execute_command("ACL", "SETUSER", "gptbot:test/a", "on", ">secret", *rules("test/a"))
        client.execute_command("ACL", "SETUSER", "somebody", "on", ">secret", "~*", "+@all")
        client.execute_command("ACL", "SAVE")
    with store(tmp_path, port, "another password"), _client(port, "another password") as client:
        users: Any = client.execute_command("ACL", "USERS")
        assert set(users) == {b"default", b"gptbot:test/a"}
        with redis.Redis(port=port, username="gptbot:test/a", password="secret") as bot:
            assert bot.set("{test/a}:x", "1")
        with _client(port, PASSWORD) as refused, pytest.raises(redis.AuthenticationError):
            refused.ping()


def test_a_restart_keeps_everything(tmp_path: Path, port: int) -> None:
    with store(tmp_path, port), _client(port, PASSWORD) as client:
        client.set("conversation", "kept")
    with store(tmp_path, port), _client(port, PASSWORD) as client:
        assert client.get("conversation") == b"kept"


def test_a_full_store_refuses_and_throws_nothing_out(tmp_path: Path, port: int) -> None:
    with store(tmp_path, port), _client(port, PASSWORD) as client:
        client.set("first", "here")
        client.config_set("maxmemory", "1")
        with pytest.raises(redis.OutOfMemoryError):
            client.set("second", "too much")
        assert client.get("first") == b"here"


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.1)


@contextmanager
def busy(port: int, *source: str) -> Generator[None]:
    """Something that does not end runs in the store, until it is killed."""

    def run() -> None:
        with redis.Redis(port=port, password=PASSWORD, socket_timeout=300) as client, suppress(redis.RedisError):
            client.execute_command(*source, 0)

    def told() -> bool:
        with _client(port, PASSWORD) as client:
            try:
                client.ping()
            except redis.ResponseError as error:
                return str(error).startswith("BUSY")
        return False

    runner = threading.Thread(target=run)
    runner.start()
    try:
        _until(told)
        yield
    finally:
        with _client(port, PASSWORD) as client:
            client.execute_command("SCRIPT" if source[0] == "EVAL" else "FUNCTION", "KILL")
        runner.join(timeout=20)


@pytest.mark.parametrize("values", IMAGES.values(), ids=IMAGES)
def test_a_busy_store_fails_its_probes_and_a_well_one_passes_them(
    tmp_path: Path, port: int, values: dict[str, Any]
) -> None:
    endless = "redis.register_function{function_name='endless', callback=function() while true do end end}"
    with store(tmp_path, port, values=values) as pod:
        for name in ("startup", "liveness", "readiness"):
            _until(lambda name=name: pod.passes(name))
        with _client(port, PASSWORD) as client:
            client.function_load(f"#!lua name=endless\n{endless}")
        for source in (("EVAL", "while true do end"), ("FCALL", "endless")):
            with busy(port, *source):
                for name in ("liveness", "readiness"):
                    _until(lambda name=name: "BUSY" in pod.refusal(name))
            _until(lambda: pod.passes("readiness"))
        pod.process.send_signal(signal.SIGSTOP)
        assert pod.refusal("liveness"), "it does not answer at all"


@pytest.mark.parametrize("values", IMAGES.values(), ids=IMAGES)
def test_a_store_that_loads_its_data_is_alive_and_not_ready(tmp_path: Path, port: int, values: dict[str, Any]) -> None:
    with store(tmp_path, port), _client(port, PASSWORD) as client:
        for first in range(0, 60_000, 5000):
            pipeline = client.pipeline(transaction=False)
            for number in range(first, first + 5000):
                pipeline.set(f"key{number}", "1")
            pipeline.execute()
    slow = dict(values, extraConfig="key-load-delay 1000")  # microseconds
    with store(tmp_path, port, values=slow) as pod:
        _until(lambda: "LOADING" in pod.refusal("readiness"))
        for name in ("startup", "liveness"):
            _until(lambda name=name: pod.passes(name))
        assert pod.refusal("readiness"), "it loads still"
        with _client(port, PASSWORD) as client:
            client.config_set("key-load-delay", 0)
        _until(lambda: pod.passes("readiness"))


def test_a_store_with_another_password_is_not_restarted_for_it(tmp_path: Path, port: int) -> None:
    with store(tmp_path, port) as pod, _client(port, PASSWORD) as client:
        client.execute_command("ACL", "SETUSER", "default", "resetpass", ">another")
        _until(lambda: pod.passes("liveness"))  # another password is nothing that a restart would mend
        assert pod.refusal("readiness")


def test_a_busy_store_is_killed_soon_and_a_loading_one_never() -> None:
    container = find(render({}), "StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    liveness, startup = container["livenessProbe"], container["startupProbe"]
    assert liveness["periodSeconds"] * liveness["failureThreshold"] <= 30
    assert liveness["terminationGracePeriodSeconds"] <= 10, "a busy server does not hear SIGTERM"
    assert startup["exec"] == liveness["exec"], "what loads has started, and is alive: no number of tries ends that"
    assert find(render({}), "Service", "-store")["spec"]["publishNotReadyAddresses"], "BUSY is heard from the store"
