"""Fakes of Telegram, Discord and OpenAI as pods: the bot image runs them out of a ConfigMap with their sources."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.chart.rendering import ROOT
from tests.e2e import cluster
from tests.e2e.cluster import Object
from tests.fakes.discord.remote import RemoteDiscord
from tests.fakes.telegram.remote import RemoteTelegram

PORT = 8000
DISCORD_TOKEN = "MTA0.e2e.a-token-that-only-the-fake-knows"
TELEGRAM_TOKEN = "4200042:AAe2ee2ee2ee2ee2ee2ee2ee2ee2ee2ee2e"
API_KEYS = ("sk-the-first-key", "sk-the-second-key")
_ARGUMENTS = {
    "telegram": ["--token", TELEGRAM_TOKEN],
    "discord": ["--token", DISCORD_TOKEN],
    "openai": ["--api-key", API_KEYS[0]],
}


@dataclass(frozen=True)
class Fakes:
    """Where they are: in the cluster, and here for the test's hand in them."""

    namespace: str
    here: dict[str, str]

    def inside(self, name: str) -> str:
        """The address that bots use."""
        return f"http://{name}.{self.namespace}.svc:{PORT}"


@dataclass(frozen=True)
class Both:
    """Somebody on Telegram, and Ann in a channel on Discord."""

    telegram: RemoteTelegram
    discord: RemoteDiscord
    person: str
    channel: str


@asynccontextmanager
async def on_both(fakes: Fakes, number: int) -> AsyncGenerator[Both]:
    """Both of them; `number` is the one's on Telegram."""
    async with RemoteTelegram(fakes.here["telegram"]) as telegram, RemoteDiscord(fakes.here["discord"]) as discord:
        await telegram.add_user(number)
        person = await discord.add_user("Ann")
        channel = await discord.add_channel(await discord.add_guild())
        yield Both(telegram, discord, person, channel)


def start(namespace: str, image: str) -> None:
    """Run them in a namespace."""
    objects = [_sources()]
    for name in _ARGUMENTS:
        objects += [_pod(name, image), _service(name)]
    cluster.apply(namespace, objects)
    pods = [f"pod/{name}" for name in _ARGUMENTS]
    cluster.kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=180s", *pods, timeout=200)


def _sources() -> Object:
    """A zip that Python imports from."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(ROOT / "tests" / "__init__.py", "tests/__init__.py")
        for path in sorted((ROOT / "tests" / "fakes").rglob("*.py")):
            file.write(path, path.relative_to(ROOT))
    data = base64.b64encode(archive.getvalue()).decode()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fakes"}, "binaryData": {"fakes.zip": data}}


def _pod(name: str, image: str) -> Object:
    container = {
        "name": name,
        "image": image,
        "command": ["python", "-m", f"tests.fakes.{name}", "--host", "0.0.0.0", "--port", str(PORT), *_ARGUMENTS[name]],
        "env": [{"name": "PYTHONPATH", "value": "/fakes/fakes.zip"}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "fakes", "mountPath": "/fakes"}],
    }  # fmt: skip
    spec = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "fakes", "configMap": {"name": "fakes"}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"fake": name}}, "spec": spec}


def _service(name: str) -> Object:
    spec = {"selector": {"fake": name}, "ports": [{"port": PORT}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


class ScriptedModel:
    """The hand in the fake of OpenAI."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def say(self, text: str, match: str, *, tokens_per_second: float | None = None) -> None:
        """Answer questions that contain `match` with `text`, however often: a request that broke is made again."""
        script = {"text": text, "match": match, "times": None, "tokens_per_second": tokens_per_second}
        await self._call("POST", "scripts", script)

    async def take_keys(self, key: str, *others: str) -> None:
        """From now on these are the only keys taken."""
        await self._call("PUT", "settings", {"api_key": key, "other_keys": others})

    async def requests(self) -> list[Object]:
        """The bodies of the requests that were answered, oldest first."""
        answer = await self._call("GET", "requests")
        return [request["body"] for request in answer["requests"] if request["outcome"] == "finished"]

    async def _call(self, method: str, what: str, body: Any = None) -> Any:
        timeout = aiohttp.ClientTimeout(total=20)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.request(method, f"{self._url}/control/{what}", json=body) as response,
        ):
            assert response.status == 200, await response.text()
            return await response.json()
