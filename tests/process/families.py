"""Runs the servers of bot, operator and chart on a machine with IPv4, IPv6 or both, and says which of them answer.

`unshare --net python -m tests.process.families FAMILY DIRECTORY` is that machine: a network namespace whose loopback
device has the addresses of the family alone, and all ports. The directory has `valkey.conf` and `model.json`, the
arguments of the chart's model server.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

from prometheus_client import start_http_server

from gptbot.embedded.valkey import find_binary
from gptbot_api.listening import any_address
from gptbot_operator.health import healthz

ADDRESSES = {"ipv6": ["[::1]"], "both": ["127.0.0.1", "[::1]"]}
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFADDR, _IFF_UP = 0x8913, 0x8914, 0x8916, 1
MANIFEST = """
apiVersion: gptbot.dev/v1alpha1
kind: GptBot
metadata: {{name: families}}
spec:
  platforms: {{web: {{}}}}
  llm: {{baseUrl: "http://{address}:8000/v1", model: smollm2-135m-instruct, parameters: {{max_tokens: 8}}}}
"""


def loopback(family: str) -> None:
    """Bring up the loopback device of this namespace, with the addresses of the family alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", asked)[1] | _IFF_UP
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))
        if family == "ipv6":
            nothing = struct.pack("16sHH4s8x", b"lo", socket.AF_INET, 0, socket.inet_aton("0.0.0.0"))
            fcntl.ioctl(control, _SIOCSIFADDR, nothing)


@contextlib.contextmanager
def running(directory: Path, name: str, *command: str | Path, **environment: str) -> Generator[None]:
    """Run a program until the end of the block; what it says goes to a file."""
    with (directory / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, env=os.environ | environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=40)


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Wait until a condition holds; False when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def answers(url: str) -> bool:
    """Whether a server answers there with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def pings(address: str) -> bool:
    """Whether the store answers there."""
    try:
        with socket.create_connection((address.strip("[]"), 6379), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def chats(directory: Path, address: str) -> bool:
    """Whether a question is answered by way of the store and the model there."""
    (directory / "bot.yaml").write_text(MANIFEST.format(address=address))
    ended = subprocess.run(
        [sys.executable, "-m", "gptbot", "chat", "--no-wait", "--file", "bot.yaml", "Hello"],
        cwd=directory, env=os.environ | {"GPTBOT_STORE_URL": f"redis://{address}:6379/0"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if ended.returncode != 0:
        sys.stderr.write(ended.stderr)
    return ended.returncode == 0 and bool(ended.stdout.strip())


async def operator(addresses: list[str]) -> dict[str, bool]:
    """Whether the operator's two servers answer."""
    server, thread = start_http_server(9091, any_address())
    try:
        async with healthz(8081):
            urls = {
                f"operator {name} {address}": f"http://{address}:{port}{path}"
                for address in addresses
                for name, port, path in (("health", 8081, "/healthz"), ("metrics", 9091, "/metrics"))
            }
            return {name: await asyncio.to_thread(answers, url) for name, url in urls.items()}
    finally:
        server.shutdown()
        thread.join()


def main(family: str, directory: Path) -> dict[str, bool]:
    """What answers, by name and address."""
    loopback(family)
    addresses = ADDRESSES[family]
    # The manifest of the gateway is one that is there before the first chat.
    (directory / "gateway.yaml").write_text(MANIFEST.format(address=addresses[0]))
    model = json.loads((directory / "model.json").read_text())
    environment = {
        "GPTBOT_PEPPER": "p" * 40,
        "GPTBOT_STORE_URL": f"redis://{addresses[0]}:6379/0",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    os.environ["PYTHONPATH"] = environment["PYTHONPATH"]
    with (
        running(directory, "valkey", find_binary(), directory / "valkey.conf"),
        running(directory, "model", sys.executable, "-m", "gptbot", *model),
        running(
            directory, "gateway", sys.executable, "-m", "gptbot", "gateway", "--manifest", "gateway.yaml", **environment
        ),
    ):
        found = {f"store {address}": until(lambda a=address: pings(a)) for address in addresses}
        for name, port, path in (("model", 8000, "/health"), ("metrics", 9090, "/livez"), ("page", 8080, "/")):
            for address in addresses:
                url = f"http://{address}:{port}{path}"
                found[f"{name} {address}"] = until(lambda url=url: answers(url))
        found |= {f"chat {address}": chats(directory, address) for address in addresses}
    return found | asyncio.run(operator(addresses))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
