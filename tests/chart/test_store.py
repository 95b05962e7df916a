"""The store as its pod starts it: the rendered script and configuration, run by a real Valkey."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from gptbot.embedded.valkey import find_binary
from gptbot_api.store_rights import rules
from tests.chart.rendering import find, render

PASSWORD = """it's "quoted" $HOME \\ and > long #enough"""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextmanager
def store(directory: Path, port: int, password: str = PASSWORD) -> Generator[subprocess.Popen[bytes]]:
    """The store's container, with its paths under a directory of the test's own."""
    objects = render({})
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

    (directory / "valkey.conf").write_text(moved(find(objects, "ConfigMap", "-store")["data"]["valkey.conf"]))
    (directory / "tmp").mkdir(exist_ok=True)
    (directory / "bin").mkdir(exist_ok=True)
    (directory / "bin" / "valkey-server").unlink(missing_ok=True)
    (directory / "bin" / "valkey-server").symlink_to(find_binary())
    environment = {"STORE_PASSWORD": password, "PATH": f"{directory / 'bin'}:{os.environ['PATH']}"}
    command = [*container["command"], *map(moved, container["args"])]
    with (
        (directory / "log").open("ab") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_until_it_listens(process, port, directory)
            yield process
        finally:
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
    return redis.Redis(port=port, password=password, socket_timeout=10)


def test_only_who_has_the_password_gets_in_whatever_its_characters(tmp_path: Path, port: int) -> None:
    with store(tmp_path, port):
        with _client(port, PASSWORD) as client:
            assert client.ping()
        for wrong in (None, "guessed"):
            with _client(port, wrong) as client, pytest.raises(redis.AuthenticationError):
                client.ping()


def test_the_password_is_in_no_file_argument_or_variable_of_the_server(tmp_path: Path, port: int) -> None:
    with store(tmp_path, port) as process:
        server = psutil.Process(process.pid)
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
