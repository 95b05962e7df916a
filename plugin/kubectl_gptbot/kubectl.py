"""The way to the cluster: the user's kubectl, with its current context, its login and its rights."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

KIND = "gptbots.gptbot.dev"
"""The resource, written out: another API may have the same short name."""
CONTAINER = "gptbot"
"""The bot's container in its pods."""
BOT_LABEL = "gptbot.dev/bot"
ROLE_LABEL = "app.kubernetes.io/component"

_LOGGED = re.compile(r"[IWEF][0-9]{4} [0-9:.]{8,15} {1,10}[0-9]{1,10} [\w./-]{1,80}:[0-9]{1,6}\] ")
"""How a line begins that kubectl's libraries log (https://github.com/kubernetes/klog), before it says it to people."""
_UNREACHED = ("The connection to the server ", "Unable to connect to the server: ")

_REQUEST_TIMEOUT = "--request-timeout=20s"


class ClusterError(Exception):
    """The cluster did not do it; the text is what kubectl says."""


class Forbidden(ClusterError):
    """The user may not look at this."""


class NoSuchKind(ClusterError):
    """The cluster does not know this kind of object."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with what the user chose; empty: as kubectl itself would choose."""

    namespace: str = ""
    context: str = ""
    kubeconfig: str = ""

    def command(self, *arguments: str) -> list[str]:
        """The whole command line. Raises ClusterError when there is no kubectl."""
        program = shutil.which("kubectl")
        if program is None:
            raise ClusterError(
                "there is no kubectl on the PATH; https://kubernetes.io/docs/tasks/tools says how to get it"
            )
        chosen = {"--namespace": self.namespace, "--context": self.context, "--kubeconfig": self.kubeconfig}
        return [program, *(f"{flag}={value}" for flag, value in chosen.items() if value), *arguments]

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints. Raises ClusterError with its own words."""
        answer = subprocess.run(
            self.command(_REQUEST_TIMEOUT, *arguments), input=stdin, capture_output=True, text=True, check=False
        )
        if answer.returncode != 0:
            raise _error(_plain(answer.stderr) or f"kubectl ended with exit status {answer.returncode}")
        return answer.stdout

    def get(self, *arguments: str) -> Document | None:
        """An object, or None when there is none. Raises ClusterError."""
        answer = self.run("get", *arguments, "--ignore-not-found", "--output=json")
        return json.loads(answer) if answer.strip() else None

    def items(self, *arguments: str) -> list[Document]:
        """The objects of a list. Raises ClusterError."""
        return (self.get(*arguments) or {"items": []})["items"]

    def bot(self, name: str) -> Document:
        """A GptBot. Raises ClusterError when there is none."""
        found = self.get(KIND, name)
        if found is None:
            where = f"namespace {self.namespace}" if self.namespace else "the current namespace"
            raise ClusterError(f"there is no GptBot {name} in {where}; `kubectl get {KIND} --all-namespaces` lists all")
        return found

    def hand_over(self, *arguments: str) -> int:
        """Let kubectl have the terminal; its exit status. Ctrl-C is its to answer. Raises ClusterError."""
        with subprocess.Popen(self.command(*arguments)) as process:
            return _ended(process)

    @contextmanager
    def output(self, *arguments: str) -> Generator[subprocess.Popen[str]]:
        """Run kubectl and read what it prints meanwhile; it ends with the block. Raises ClusterError."""
        with subprocess.Popen(self.command(*arguments), stdout=subprocess.PIPE, text=True, errors="replace") as process:
            try:
                yield process
            finally:
                process.terminate()


def _ended(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the terminal told kubectl too
            continue


def _plain(said: str) -> str:
    """What kubectl says to people, without what it logs; all of it if it only logs."""
    lines = said.strip().splitlines()
    return "\n".join([line for line in lines if not _LOGGED.match(line)] or lines)


def _error(said: str) -> ClusterError:
    if said.startswith(_UNREACHED):
        return ClusterError(f"{said} (`kubectl config view --minify` shows which cluster is chosen, --context another)")
    if "(Forbidden)" in said or " is forbidden: " in said:
        return Forbidden(said)
    if "the server doesn't have a resource type" in said or "(NotFound)" in said:
        return NoSuchKind(said)
    return ClusterError(said)
