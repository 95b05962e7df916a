"""A control plane of this test run: etcd, kube-apiserver and kube-controller-manager on free ports of 127.0.0.1."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.controlplane.client import Client
from tests.controlplane.programs import QUICK, ROOT, program
from tests.ports import free_ports

CRD = ROOT / "crds" / "gptbots.gptbot.dev.yaml"
CONTROLLERS = (
    "deployment-controller", "replicaset-controller", "garbage-collector-controller", "namespace-controller",
    "serviceaccount-controller", "horizontal-pod-autoscaler-controller", "resourcequota-controller",
)  # fmt: skip
_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "users": ["operator"], "verbs": ["create", "update", "patch", "delete"]},
        {"level": "None"},
    ],
}


@dataclass(frozen=True)
class Write:
    """One request of the operator's that was to change something."""

    verb: str
    path: str
    status: int
    """HTTP status of the answer."""
    at: float
    """When it came, in seconds since 1970."""


@dataclass(frozen=True)
class Plane:
    """A running control plane."""

    directory: Path
    url: str
    tokens: dict[str, str]
    restart_api_server: Callable[[], None]
    """Kill it and start it again on the same address; returns once it is ready."""
    stop_controllers: Callable[[], None]
    """Kill kube-controller-manager, for good: from now on nobody changes a thing but who is asked to."""
    etcd: str
    """Address of the store."""

    def audit(self) -> list[Write]:
        """What the operator wrote so far, or tried to, as the API server's audit log has it."""
        entries = map(json.loads, (self.directory / "audit.log").read_text().splitlines())
        return [
            Write(
                entry["verb"], entry["requestURI"], entry["responseStatus"]["code"],
                datetime.fromisoformat(entry["requestReceivedTimestamp"]).timestamp(),
            )
            for entry in entries
        ]  # fmt: skip

    def writes(self) -> list[str]:
        """The same, verb and path alone."""
        return [f"{write.verb} {write.path}" for write in self.audit()]

    def kubeconfig(self, user: str) -> Path:
        """A kubeconfig of a user; `admin` may do everything, others what RBAC gives them."""
        path = self.directory / f"{user}.conf"
        if not path.exists():
            authority = str(self.directory / "pki" / "apiserver.crt")
            document = {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [{"name": "test", "cluster": {"server": self.url, "certificate-authority": authority}}],
                "users": [{"name": user, "user": {"token": self.tokens[user]}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
            }
            path.write_text(yaml.safe_dump(document))
        return path

    def kubectl(self, *arguments: str, document: Any = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl as admin; `document` becomes its standard input."""
        answer = subprocess.run(
            [program("kubectl"), "--kubeconfig", self.kubeconfig("admin"), *arguments],
            env=os.environ | QUICK | {"KUBECACHEDIR": str(self._cache)},
            input=None if document is None else json.dumps(document),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and answer.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {answer.stderr}")
        return answer

    @property
    def _cache(self) -> Path:
        return self.directory / "kubectl"

    def forget_versions(self) -> None:
        """Have kubectl ask anew which versions of which kinds there are; it remembers them for hours."""
        shutil.rmtree(self._cache, ignore_errors=True)

    def compact(self) -> None:
        """Take the history out of the store: what was before cannot be watched from any more."""
        run = [program("etcdctl"), f"--endpoints={self.etcd}"]
        status = subprocess.run([*run, "endpoint", "status", "-w", "json"], capture_output=True, check=True, timeout=30)
        revision = json.loads(status.stdout)[0]["Status"]["header"]["revision"]
        subprocess.run([*run, "compact", "--physical", str(revision)], capture_output=True, check=True, timeout=60)

    @cached_property
    def api(self) -> Client:
        """A client that is quicker than kubectl."""
        return Client(self.url, self.tokens["admin"], str(self.directory / "pki" / "apiserver.crt"))

    def get(self, *arguments: str) -> Any:
        """An object, or a list of them, as kubectl gives it; None when it is not there."""
        answer = self.kubectl("get", *arguments, "-o", "json", "--ignore-not-found")
        return json.loads(answer.stdout) if answer.stdout.strip() else None


@contextmanager
def control_plane(directory: Path, *, autoscaler_seconds: int = 2) -> Generator[Plane]:
    """Start one, with the CRD in it, whose autoscaler looks so often; stop it afterwards."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    service_accounts = directory / "sa.key"
    service_accounts.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    tokens = {user: secrets.token_hex(16) for user in ("admin", "operator")}
    (directory / "tokens.csv").write_text(
        f'{tokens["admin"]},admin,admin,"system:masters"\n{tokens["operator"]},operator,operator,\n'
    )
    (directory / "audit.yaml").write_text(yaml.safe_dump(_AUDIT))
    (directory / "audit.log").touch()
    etcd, peer, api, controller = free_ports(4)
    processes: dict[str, tuple[subprocess.Popen[bytes], tuple[str, ...]]] = {}

    def start(name: str, *flags: str) -> None:
        with (directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [program(name), *flags], stdout=log, stderr=log, cwd=directory, env=os.environ | QUICK
            )
        processes[name] = process, flags

    def alive() -> None:
        for name, (process, _) in processes.items():
            if process.poll() is not None:
                log = (directory / f"{name}.log").read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{name} exited with {process.returncode}:\n{log}")

    def wait_for_api_server() -> None:
        wait_for(
            lambda: plane.kubectl("get", "--raw", "/readyz", check=False).returncode == 0, "kube-apiserver", 200, alive
        )

    def restart_api_server() -> None:
        process, flags = processes["kube-apiserver"]
        process.kill()
        process.wait()
        start("kube-apiserver", *flags)
        wait_for_api_server()

    def stop_controllers() -> None:
        process, _ = processes.pop("kube-controller-manager")
        process.kill()
        process.wait()

    url, store = f"https://127.0.0.1:{api}", f"http://127.0.0.1:{etcd}"
    plane = Plane(directory, url, tokens, restart_api_server, stop_controllers, store)
    try:
        start(
            "etcd", f"--data-dir={directory / 'etcd'}", "--unsafe-no-fsync", f"--listen-client-urls={store}",
            f"--advertise-client-urls={store}", f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}", f"--initial-cluster=default=http://127.0.0.1:{peer}",
        )  # fmt: skip
        start(
            "kube-apiserver", f"--etcd-servers={store}", "--bind-address=127.0.0.1",
            f"--secure-port={api}", f"--cert-dir={directory / 'pki'}", "--authorization-mode=RBAC",
            f"--token-auth-file={directory / 'tokens.csv'}", f"--audit-policy-file={directory / 'audit.yaml'}",
            f"--audit-log-path={directory / 'audit.log'}", "--audit-log-mode=blocking-strict",
            f"--service-account-key-file={service_accounts}", f"--service-account-signing-key-file={service_accounts}",
            "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.0.0.0/16",
            "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
            "--endpoint-reconciler-type=none", "--watch-cache=true",
        )  # fmt: skip
        wait_for_api_server()
        plane.kubectl("apply", "--server-side", "-f", str(CRD))
        wait = ("wait", "--for=condition=Established", "crd/gptbots.gptbot.dev", "--timeout=30s")
        wait_for(
            lambda: plane.kubectl(*wait, check=False).returncode == 0, "the CRD"
        )  # it fails while there is no status
        start(
            "kube-controller-manager", f"--kubeconfig={plane.kubeconfig('admin')}", "--leader-elect=false",
            f"--service-account-private-key-file={service_accounts}", f"--controllers={','.join(CONTROLLERS)}",
            "--bind-address=127.0.0.1", f"--secure-port={controller}", f"--cert-dir={directory / 'pki-controller'}",
            f"--horizontal-pod-autoscaler-sync-period={autoscaler_seconds}s",
        )  # fmt: skip
        wait_for(
            lambda: plane.get("-n", "default", "serviceaccount", "default") is not None, "its controllers", 200, alive
        )
        yield plane
        alive()
    finally:
        for process, _ in reversed(processes.values()):
            process.kill()  # nothing of it is kept, and a graceful stop waits for open watches
            process.wait()


def wait_for(
    condition: Callable[[], Any], what: str, seconds: float = 90, meanwhile: Callable[[], None] | None = None
) -> Any:
    """Wait until a condition holds, and return what it returned; a test fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if meanwhile is not None:
            meanwhile()
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not so after {seconds:g} s")
        time.sleep(0.1)
    return value
