"""A store of one's own in the cluster, for a release that is to lose nothing where the cluster makes no volumes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gptbot.inbox.store import Store
from gptbot_api.store_rights import bot_of_user
from tests.e2e import bots as made
from tests.e2e import cluster
from tests.e2e.cluster import Object

NAME, PORT, TLS_PORT, PASSWORD = "store", 6379, 6380, "only-for-this-run"
VALUES: dict[str, Any] = {"valkey": {"enabled": False}, "externalStore": {"existingSecret": NAME}}


_TLS = f"""
import asyncio, ssl

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile="/tls/tls.crt")
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
context.verify_mode = ssl.CERT_REQUIRED

async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()

async def serve(reader, writer):
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", {PORT})
    await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", {TLS_PORT}, ssl=context)
    await server.serve_forever()

asyncio.run(main())
"""
"""TLS that asks clients for the certificate too, in front of a Valkey that is built without."""


def start(namespace: str, image: str, *, tls: tuple[Path, Path] | None = None) -> None:
    """Run it in a namespace, out of the bot image; `tls`: certificate and key of a port that speaks TLS alone."""
    bind = "127.0.0.1" if tls else "*"
    command = ["valkey-server", "--bind", bind, "--requirepass", PASSWORD, "--save", "", "--dir", "/tmp"]
    containers = [_container(NAME, image, command)]
    objects: list[Object] = []
    volumes: list[Object] = []
    port = PORT
    if tls:
        port = TLS_PORT
        mount = {"name": "tls", "mountPath": "/tls", "readOnly": True}
        containers.append(_container("tls", image, ["python", "-c", _TLS]) | {"volumeMounts": [mount]})
        volumes.append({"name": "tls", "secret": {"secretName": f"{NAME}-tls"}})
        files = {name: path.read_text() for name, path in zip(("tls.crt", "tls.key"), tls, strict=True)}
        metadata = {"name": f"{NAME}-tls"}
        objects.append({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": files})
    containers[-1]["readinessProbe"] = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    spec = {
        "automountServiceAccountToken": False,
        "containers": containers,
        "volumes": volumes,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    metadata = {"name": NAME, "labels": {"store": NAME}}
    service = {"selector": metadata["labels"], "ports": [{"port": port}]}
    objects += [
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": service},
    ]
    cluster.apply(namespace, objects)
    cluster.kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=120s", f"pod/{NAME}")


def _container(name: str, image: str, command: list[str]) -> Object:
    return {
        "name": name,
        "image": image,
        "command": command,
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
    }  # fmt: skip


def secret(namespace: str) -> Object:
    """The Secret that a release finds it by, which runs in the namespace."""
    url = f"redis://:{PASSWORD}@{NAME}.{namespace}.svc:{PORT}/0"
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "stringData": {"url": url}}


@asynccontextmanager
async def of_release(release: str, namespace: str, login: str | None = None) -> AsyncGenerator[Store]:
    """The release's own store, reached from here; `login`: a URL whose user and password to use, else the owner's."""
    url = login or made.secret(namespace, f"{release}-gptbot-store")["url"]
    with cluster.forwarded(namespace, f"pod/{release}-gptbot-store-0", PORT) as here:
        address = f"{url.rpartition('@')[0]}@{here.removeprefix('http://')}/0"
        async with Store.connect(address) as store:
            yield store


async def wait_until_nothing_is_left(release: str, namespace: str, bot: str) -> None:
    """Wait until the release's own store has neither a user nor keys of a bot. Raises TimeoutError."""
    async with asyncio.timeout(90), of_release(release, namespace) as store:
        while await _left(store, bot):
            await asyncio.sleep(1)


async def _left(store: Store, bot: str) -> list[bytes]:
    users = [user for user in await store.command("ACL", "USERS") if bot_of_user(user.decode()) == bot]
    return users + list(await store.command("KEYS", f"{{{bot}}}:*"))
