"""What only the node can do: end the process of a container without a word, as where the memory runs out."""

from __future__ import annotations

from typing import Any

from tests.e2e import cluster
from tests.e2e.cluster import Object

_NAME = "killer"
_KILL = """
import os, pathlib, signal, sys

uid, program = sys.argv[1:]
found = []
for process in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        cgroup, command = (process / "cgroup").read_text(), (process / "cmdline").read_bytes()
    except OSError:
        continue  # it has ended
    if ("pod" + uid in cgroup or "pod" + uid.replace("-", "_") in cgroup) and program.encode() in command:
        found.append(int(process.name))
assert found, "there is no such process"
for pid in found:
    os.kill(pid, signal.SIGKILL)
print(len(found))
"""


def start_killer(namespace: str, image: str) -> None:
    """Run a pod that sees the processes of its node, in a privileged namespace."""
    context: dict[str, Any] = {"runAsUser": 0, "privileged": True}
    container = {
        "name": _NAME,
        "image": image,
        "command": ["python", "-c", "import signal; signal.sigwait([signal.SIGTERM])"],
        "securityContext": context,
    }
    spec = {"automountServiceAccountToken": False, "hostPID": True, "containers": [container]}
    pod: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": _NAME}, "spec": spec}
    cluster.apply(namespace, [pod])
    cluster.kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=60s", f"pod/{_NAME}")


def kill_processes(namespace: str, pod: Object, program: str) -> None:
    """SIGKILL to the processes of a pod whose command has this text in it. Raises AssertionError if there are none."""
    uid = pod["metadata"]["uid"]
    cluster.kubectl("--namespace", namespace, "exec", _NAME, "--", "python", "-c", _KILL, uid, program)
