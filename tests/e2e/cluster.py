"""The cluster of the current kube context, by kubectl."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Object = dict[str, Any]


def kubectl(*arguments: str, document: Iterable[Object] | None = None, timeout: float = 120) -> str:
    """Run kubectl and return what it printed; `document` becomes its standard input. Raises AssertionError."""
    stdin = None if document is None else "\n".join(f"---\n{json.dumps(each)}" for each in document)
    answer = subprocess.run(
        [program(), *arguments], input=stdin, capture_output=True, text=True, timeout=timeout, check=False
    )
    if answer.returncode != 0:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {answer.stderr.strip() or answer.stdout.strip()}")
    return answer.stdout


def program() -> str:
    return shutil.which("kubectl") or str(Path(sys.executable).with_name("kubectl"))


def get(*arguments: str) -> Any:
    """An object, or a list of them; None when it is not there."""
    answer = kubectl("get", *arguments, "-o", "json", "--ignore-not-found")
    return json.loads(answer) if answer.strip() else None


def items(*arguments: str) -> list[Object]:
    """The objects of a list."""
    return (get(*arguments) or {"items": []})["items"]


def apply(namespace: str, objects: Iterable[Object]) -> None:
    """`kubectl apply` as a user does it."""
    kubectl("--namespace", namespace, "apply", "-f", "-", document=objects)


def wait_until(what: str, condition: Callable[[], T], seconds: float = 120) -> T:
    """Wait until a condition gives something true, and return that. Raises AssertionError naming `what`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not so after {seconds:g} s")
        time.sleep(0.5)
    return found


async def meanwhile(what: str, condition: Callable[[], T], seconds: float = 120) -> T:
    """As `wait_until`, while other things go on."""
    return await asyncio.to_thread(wait_until, what, condition, seconds)


def kill(namespace: str, pods: Iterable[str]) -> None:
    """End pods at once: nothing in them has time to end what it does."""
    kubectl("--namespace", namespace, "delete", "pod", "--grace-period=0", "--force", *sorted(pods))


@contextmanager
def forwarded(namespace: str, target: str, port: int) -> Generator[str]:
    """The address here of a port of a pod or Service there."""
    command = [program(), "--namespace", namespace, "port-forward", "--address", "127.0.0.1", target, f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            if not said.startswith("Forwarding from 127.0.0.1:"):
                raise AssertionError(f"port-forward to {target}: {said}{process.stdout.read()}")
            yield f"http://127.0.0.1:{said.split()[2].rpartition(':')[2]}"
        finally:
            process.terminate()


def report(namespaces: Iterable[str]) -> str:
    """What helps to see why something went wrong: objects, bots, events, and the end of each container's log."""
    parts: list[str] = []
    for namespace in namespaces:
        for title, command in (
            ("objects", ["get", "all,configmaps,secrets,hpa", "-o", "wide"]),
            ("bots", ["get", "gptbots", "-o", "yaml"]),
            ("events", ["get", "events", "--sort-by=.lastTimestamp"]),
            ("pods", ["describe", "pods"]),
        ):
            parts.append(f"===== {namespace}: {title}\n{_said(namespace, *command)}")
        for pod in items("--namespace", namespace, "pods"):
            name = pod["metadata"]["name"]
            log = _said(namespace, "logs", name, "--all-containers", "--prefix", "--tail=200")
            parts.append(f"===== {namespace}: log of {name}\n{log}")
            if any(each.get("restartCount") for each in pod.get("status", {}).get("containerStatuses", [])):
                log = _said(namespace, "logs", name, "--all-containers", "--prefix", "--tail=50", "--previous")
                parts.append(f"===== {namespace}: log of {name} before its restart\n{log}")
    return "\n".join(parts)


def _said(namespace: str, *command: str) -> str:
    try:
        return kubectl("--namespace", namespace, *command)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return str(error)
