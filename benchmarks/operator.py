"""What a fleet costs the operator: bots by the thousand on a real kube-apiserver and etcd, without nodes.

The operator is a process of its own. No pods run.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import psutil

from benchmarks.results import Target, finish
from benchmarks.scene import percentile
from gptbot.embedded.valkey import EmbeddedValkey
from tests.controlplane.plane import Plane, control_plane
from tests.controlplane.running import OperatorProcess, documented_rules

FEW, MANY = 1000, 5000
EDITS = 100
"""Bots that are edited one by one, once all are there."""
A_NAMESPACE = 100
"""Bots that share a namespace. Controllers of Kubernetes look through all pods of one for each of its Deployments."""
_AUTOSCALER_SECONDS = 15
"""How often the autoscaler looks at each bot: as Kubernetes does by default."""
BASE_MIB, KIB_A_BOT = 84, 25
GROWTH = 1.2
"""What a look at one of many bots may cost the operator, to what one of few does."""
APPLIED_SECONDS = 0.15
"""From an edit of one bot among many to its being applied, 99th percentile."""
CALLS_A_BOT = 18
"""Requests to the API server until a new bot has all its children and is at rest."""
TIMEOUT_SECONDS = 3600
_CREATED_AT_ONCE = 16
_CORE, _OURS = "/api/v1", "/apis/gptbot.dev/v1alpha1"
_TELL_SECONDS = 30
_ASKED_SECONDS = 3
"""Between two reads of the operator's metrics: with 5,000 bots each takes it a second of CPU."""
_TELL_WRITES = 20
_CREATED, _EDITED = 3, 4
"""`context.maxMessages` before and after an edit: in a child it tells when that was applied."""


@dataclass(slots=True)
class _Fleet:
    """Bots, and when each had its last child; children are seen by a watch, as others see them."""

    plane: Plane
    http: aiohttp.ClientSession
    count: int
    applied: dict[str, float] = field(default_factory=dict[str, float])

    async def create(self) -> None:
        """Create all, as fast as the API server takes them."""
        numbers = iter(range(self.count))

        async def some() -> None:
            for number in numbers:
                await self._send("POST", _path(_CORE, number, "secrets"), _secret(number))
                await self._send("POST", _path(_OURS, number, "gptbots"), _bot(number))

        await asyncio.gather(*(some() for _ in range(_CREATED_AT_ONCE)))

    async def edit(self) -> list[float]:
        """Edit some one by one; seconds from the edit to its being applied, of each."""
        taken: list[float] = []
        for number in range(min(EDITS, self.count)):
            name = _name(number)
            self.applied.pop(name)
            started = time.monotonic()
            path = _path(_OURS, number, "gptbots")
            await self._send("PATCH", f"{path}/{name}", {"spec": {"context": {"maxMessages": _EDITED}}})
            while name not in self.applied:  # noqa: ASYNC110 - a watch notes it
                await asyncio.sleep(0.001)
            taken.append(self.applied[name] - started)
        return taken

    async def watch(self) -> None:
        """Note when each bot's last child, a disruption budget, is there, and when an edit is in its ConfigMap."""
        await asyncio.gather(
            self._watch(f"{_CORE}/configmaps", _EDITED),
            self._watch("/apis/policy/v1/poddisruptionbudgets", None),
        )

    async def _watch(self, path: str, edited: int | None) -> None:
        """A watch that the API server ends begins anew, and shows first what is there."""
        query = {"watch": "true", "labelSelector": "gptbot.dev/bot"}
        while True:
            async with self.http.get(self.plane.url + path, params=query) as response:
                async for line in response.content:
                    event = orjson.loads(line)
                    if event["type"] == "ERROR":
                        print(f"  (the watch was ended: {event['object'].get('message')})", file=sys.stderr)
                        break
                    document = event["object"]
                    name = document["metadata"]["labels"]["gptbot.dev/bot"]
                    if edited is None or f"maxMessages: {edited}" in document["data"]["bot.yaml"]:
                        self.applied.setdefault(name, time.monotonic())

    async def _send(self, method: str, path: str, body: Any) -> None:
        headers = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
        async with self.http.request(method, self.plane.url + path, json=body, headers=headers) as response:
            if response.status >= 300:
                raise RuntimeError(f"{method} {path}: {response.status} {await response.text()}")


def _name(number: int) -> str:
    return f"bot-{number:05}"


def _namespace(number: int) -> str:
    return f"fleet-{number // A_NAMESPACE:03}"


def _path(api: str, number: int, plural: str) -> str:
    return f"{api}/namespaces/{_namespace(number)}/{plural}"


def _secret(number: int) -> dict[str, Any]:
    metadata = {"name": _name(number)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"telegram": f"{number}:A"}}


def _bot(number: int) -> dict[str, Any]:
    name = _name(number)
    spec = {
        "platforms": {"web": {}, "telegram": {"tokenSecretRef": {"name": name, "key": "telegram"}}},
        "llm": {"baseUrl": "http://model.ai.svc/v1", "model": "bench"},
        "context": {"maxMessages": _CREATED},
    }
    return {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": name}, "spec": spec}


@contextmanager
def _cluster(directory: Path, count: int) -> Generator[Plane]:
    with control_plane(directory, autoscaler_seconds=_AUTOSCALER_SECONDS) as plane:
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "operator"}}
        plane.kubectl("apply", "-f", "-", document=role | {"rules": documented_rules()})
        plane.kubectl("create", "clusterrolebinding", "operator", "--clusterrole=operator", "--user=operator")
        for number in range(0, count, A_NAMESPACE):
            plane.kubectl("create", "namespace", _namespace(number))
        yield plane


async def _quiet(operator: OperatorProcess) -> None:
    """Wait until no bot waits for a look and nothing is written; pods that do not come are looked for now and then."""
    writes = r'gptbot_operator_api_requests_total\{method="(PATCH|POST|DELETE)"\}'
    while True:
        before = operator.metric(writes)
        await asyncio.sleep(_ASKED_SECONDS)
        if not operator.metric("gptbot_operator_queue_length") and before == operator.metric(writes):
            return


async def _measure(count: int) -> dict[str, float]:
    """The figures of a fleet of so many."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with EmbeddedValkey(directory / "store") as store:
            with _cluster(directory, count) as plane:
                operator = OperatorProcess(
                    plane, directory, GPTBOT_STORE_URL=store.url, GPTBOT_REFRESH_SECONDS="300",
                    GPTBOT_RESYNC_SECONDS="86400",
                )  # fmt: skip
                operator.start()
                try:
                    async with asyncio.timeout(TIMEOUT_SECONDS):
                        return await _run(plane, operator, count)
                finally:
                    operator.stop()


async def _run(plane: Plane, operator: OperatorProcess, count: int) -> dict[str, float]:
    tls = ssl.create_default_context(cafile=str(plane.directory / "pki" / "apiserver.crt"))
    headers = {"Authorization": f"Bearer {plane.tokens['admin']}"}
    connector = aiohttp.TCPConnector(ssl=tls)
    unbounded = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, timeout=unbounded, read_bufsize=2**22
    ) as http:
        fleet = _Fleet(plane, http, count)
        watching = asyncio.create_task(fleet.watch())
        try:
            started = time.monotonic()
            await fleet.create()
            told = started
            while len(fleet.applied) < count:
                if watching.done():
                    watching.result()
                if time.monotonic() > told + _TELL_SECONDS:
                    told = time.monotonic()
                    print(
                        f"  {len(fleet.applied)} of {count} after {told - started:.0f} s", file=sys.stderr, flush=True
                    )
                await asyncio.sleep(0.05)
            converged = time.monotonic() - started
            spent, looks = psutil.Process(operator.pid).cpu_times(), operator.metric("gptbot_operator_reconciles_total")
            plane.stop_controllers()  # else autoscalers and rollouts without nodes have news for a quarter of an hour
            await _quiet(operator)
            calls = operator.metric("gptbot_operator_api_requests_total")
            edits = await fleet.edit()
            await _quiet(operator)
            resident = psutil.Process(operator.pid).memory_info().rss / 2**20
        finally:
            watching.cancel()
    before = len(plane.writes())
    operator.stop()
    began = time.monotonic()
    operator.start()
    while operator.metric("gptbot_operator_bots") < count:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(_ASKED_SECONDS)
    await _quiet(operator)
    writes = plane.writes()[before:]
    for write in writes[:_TELL_WRITES]:
        print(f"  (written at rest: {write})", file=sys.stderr)
    found = {
        "converged": converged,
        "p50": percentile(edits, 50),
        "p99": percentile(edits, 99),
        "calls": calls / count,
        "cpu_ms": (spent.user + spent.system) * 1000 / count,
        "look_ms": (spent.user + spent.system) * 1000 / looks,
        "rss": resident,
        "rss_restarted": psutil.Process(operator.pid).memory_info().rss / 2**20,
        "restart": time.monotonic() - began,
        "writes": len(writes),
    }
    told = ", ".join(f"{name} {value:.3g}" for name, value in found.items())
    print(f"  {count} bots: {told}", file=sys.stderr, flush=True)  # the next fleet takes long, and may fail
    return found


async def run(few: int, many: int) -> tuple[dict[str, float], list[Target]]:
    """The figures and what is promised of them."""
    one, other = await _measure(few), await _measure(many)
    figures = {
        "operator_event_to_applied_p50_s": other["p50"],
        "operator_event_to_applied_p99_s": other["p99"],
        "operator_writes_at_rest": max(one["writes"], other["writes"]),
        f"operator_growth_{few}_to_{many}": other["look_ms"] / one["look_ms"],
        f"operator_converged_growth_{few}_to_{many}": other["converged"] / one["converged"] / (many / few),
        "operator_api_calls_per_bot": other["calls"],
    }
    targets = [
        Target("operator_writes_at_rest", 0),
        Target("operator_api_calls_per_bot", CALLS_A_BOT),
        Target("operator_event_to_applied_p99_s", APPLIED_SECONDS),
        Target(f"operator_growth_{few}_to_{many}", GROWTH),
    ]
    for count, found in ((few, one), (many, other)):
        figures[f"operator_converged_s_{count}"] = found["converged"]
        figures[f"operator_cpu_ms_per_bot_{count}"] = found["cpu_ms"]
        figures[f"operator_cpu_ms_per_look_{count}"] = found["look_ms"]
        figures[f"operator_restart_s_{count}"] = found["restart"]
        figures[f"operator_rss_mib_{count}"] = max(found["rss"], found["rss_restarted"])
        targets.append(Target(f"operator_rss_mib_{count}", BASE_MIB + KIB_A_BOT * count / 1024))
    return figures, targets


def main() -> int:
    """Print, write, check."""
    parser = argparse.ArgumentParser(description="Measure the operator with fleets of two sizes.")
    parser.add_argument("--bots", nargs=2, type=int, default=(FEW, MANY), metavar=("FEW", "MANY"))
    few, many = parser.parse_args().bots
    print(f"an operator with {few} and with {many} GptBots")
    figures, targets = asyncio.run(run(few, many))
    if (few, many) != (FEW, MANY):  # trying it out
        for key, value in figures.items():
            print(f"  {key:<40}  {value:10.3f}")
        return 0
    return finish(figures, targets)


if __name__ == "__main__":
    sys.exit(main())
