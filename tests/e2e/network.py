"""Connections between pods: who is there to be connected to, and what gets through."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.e2e import cluster
from tests.e2e.cluster import Object

Address = tuple[str, int]

SERVER_PORT = 8000
METADATA: Address = ("169.254.169.254", 80)
"""Where clouds hand out the credentials of a node to whoever asks from it."""
_SECONDS = 2
"""How long a connection may take: what a policy is against gets no answer."""
_TRY = """
import asyncio, json, sys

async def reached(host, port):
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
        return True
    except OSError:  # a timeout is one
        return False

async def main():
    targets = json.loads(sys.argv[1])
    print(json.dumps(dict(zip(targets, await asyncio.gather(*(reached(*each) for each in targets.values()))))))

asyncio.run(main())
""".replace("SECONDS", str(_SECONDS))
_LISTEN = """
import socket, sys, threading

def serve(server):
    while True:
        server.accept()[0].close()

server = socket.create_server(("", int(sys.argv[1])))
threading.Thread(target=serve, args=[server], daemon=True).start()
print("listening", flush=True)
sys.stdin.read()
"""
_METADATA = """
import http.server, os, signal, socket, struct

def address(kind, flags):
    about = struct.pack("=BBBBi", socket.AF_INET, 32, 0, 0, socket.if_nametoindex("lo"))
    about += b"".join(struct.pack("=HH4s", 8, which, socket.inet_aton(HOST)) for which in (1, 2))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.send(struct.pack("=IHHII", 16 + len(about), kind, flags, 1, 0) + about)
        code = struct.unpack_from("=i", netlink.recv(4096), 16)[0]
    return code

def stop(*_):
    address(21, 5)
    os._exit(0)

signal.signal(signal.SIGTERM, stop)
code = address(20, 0x405)
assert code in (0, -17), os.strerror(-code)
http.server.test(HandlerClass=http.server.BaseHTTPRequestHandler, port=PORT, bind=HOST)
""".replace("HOST", repr(METADATA[0])).replace("PORT", str(METADATA[1]))
"""Gives the node the address, as nobody in a cluster without a cloud has it, and serves there."""


def tried(namespace: str, pod: str, targets: Mapping[str, Address]) -> dict[str, bool]:
    """Which of these addresses a pod can connect to."""
    command = ["exec", pod, "--", "python", "-c", _TRY, json.dumps(targets)]
    return json.loads(cluster.kubectl("--namespace", namespace, *command))


def wait_until_reached(namespace: str, pod: str, targets: Mapping[str, Address], wanted: Mapping[str, bool]) -> None:
    """Wait until a pod reaches exactly those of the addresses that it should: a policy takes a moment."""
    found: dict[str, bool] = {}

    def as_wanted() -> bool:
        found.update(tried(namespace, pod, {name: targets[name] for name in wanted}))
        return found == wanted

    try:
        cluster.wait_until(f"what {pod} reaches", as_wanted, 30)
    except AssertionError as error:
        wrong = {name: (targets[name], found.get(name)) for name in wanted if found.get(name) != wanted[name]}
        raise AssertionError(f"{error}; reached, and should be otherwise: {wrong}") from None


@contextmanager
def listening(namespace: str, pod: str, port: int) -> Generator[None]:
    """A further port of a pod."""
    command = [cluster.program(), "--namespace", namespace, "exec", "-i", pod, "--", "python", "-c", _LISTEN, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "listening\n"
            yield
        finally:
            assert process.stdin
            process.stdin.close()  # which ends it there
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def without_policies(namespace: str, *names: str) -> Generator[None]:
    """Nothing of these NetworkPolicies meanwhile. Whoever looks after them must be kept from it."""
    policies: list[Object] = [cluster.get("--namespace", namespace, "networkpolicy", name) for name in names]
    assert all(policies), f"not all of {names} are there"
    cluster.kubectl("--namespace", namespace, "delete", "networkpolicy", *names)
    try:
        yield
    finally:
        cluster.kubectl("create", "-f", "-", document=map(_anew, policies))


def _anew(policy: Object) -> Object:
    kept = ("name", "namespace", "labels", "annotations", "ownerReferences")
    return policy | {"metadata": {key: value for key, value in policy["metadata"].items() if key in kept}}


def server(name: str, image: str, **labels: str) -> Iterator[Object]:
    """A pod that no policy of gptbot is about, and its Service; it listens, and tries what is asked of it."""
    command = ["python", "-m", "http.server", str(SERVER_PORT), "--directory", "/tmp"]
    context: dict[str, Any] = {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    pod = _pod(name, image, command, context, {"tcpSocket": {"port": SERVER_PORT}})
    pod["metadata"]["labels"] = {"server": name, **labels}
    yield pod
    spec = {"selector": {"server": name}, "ports": [{"port": SERVER_PORT}]}
    yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def metadata_server(image: str) -> Object:
    """A pod that makes its node answer at the address of METADATA; it needs a privileged namespace."""
    context: dict[str, Any] = {"runAsNonRoot": False, "runAsUser": 0, "capabilities": {"add": ["NET_ADMIN"]}}
    host, port = METADATA
    probe = {"exec": {"command": ["python", "-c", f"import socket; socket.create_connection(({host!r}, {port}), 1)"]}}
    pod = _pod("metadata", image, ["python", "-c", _METADATA], context, probe)
    pod["spec"]["hostNetwork"] = True
    return pod


def _pod(name: str, image: str, command: list[str], context: Object, probe: Object) -> Object:
    container = {
        "name": name,
        "image": image,
        "command": command,
        "readinessProbe": probe | {"periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "securityContext": context,
    }
    spec = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 2,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def wait_until_ready(namespace: str, *pods: str) -> None:
    """Wait for pods of `server` and `metadata_server`."""
    names = [f"pod/{each}" for each in pods]
    cluster.kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=120s", *names, timeout=150)
