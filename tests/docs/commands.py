"""The commands that README.md and docs/*.md print in blocks for a shell, and which of them can be run here.

What begins with a word of RUN is run by tests: on a control plane (`tests/controlplane/test_commands.py`), or by itself
(`tests/docs/test_commands.py`). What cannot be run is in NOT_RUN with the reason, so that no new command is forgotten.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from tests.docs.test_documents import ROOT, shell_lines

DOCUMENTS = sorted([ROOT / "README.md", ROOT / "charts" / "gptbot" / "README.md", *ROOT.glob("docs/**/*.md")])
Where = Literal["plane", "here", "nowhere"]

RUN: dict[str, Where] = {"helm": "plane", "kubectl": "plane", "gptbot": "here", "python": "here", "export": "here"}
"""First word of a command to where it is run."""

NOT_RUN = {
    r"make [a-z0-9-]+|IMAGE_BUILD=.* make images": "test_documents.py sees that it exists; CI runs what it needs",
    r"git clone .*": "takes the address of the repository",
    r"gptbot (run|validate) -f examples/both.yaml": "takes tokens: tests/docs/test_examples_answer.py asks its model",
    r"make demo [A-Z]+=\S+": "runs until it is stopped: tests/process/test_demo.py runs it with a scripted model",
    r"docker (build|push) .*": "takes Docker; the end-to-end tests build the same files",
    r"uv tool install ./plugin": "takes a registry, and changes what the user has installed",
    r"kubectl port-forward .*": "takes a pod that runs: the end-to-end tests talk through such a tunnel",
    r"helm test .*": "takes a pod that runs: the end-to-end tests run it, tests/chart runs its script",
    r"kubectl gptbot chat .*": "takes a pod that runs: tests/controlplane/test_plugin_pods.py runs it",
    r"url=.*": "takes jq and the files of a store's certificates: tests/store/test_tls.py makes such a URL",
    r'kubectl create secret generic bot-store --from-literal url="\$url"': "takes what the command before it makes",
    r"gptbot run -f my-bot.yaml": "runs until it is stopped: tests/process runs bots like it",
    r"gptbot run -f examples/telegram.yaml": "takes a token of Telegram",
    r"gptbot chat -f my-bot.yaml .*": "takes the model that the file names",
}
"""What no test can run here, as a pattern of the whole command, and why."""

ENDS = {
    "kubectl wait": (1, "timed out waiting for the condition"),  # no node runs the pods
    "kubectl gptbot doctor": (1, "shop"),  # what it finds of a bot without pods
    "kubectl gptbot new shop": (1, "there is no terminal to ask at"),  # for the token: a person has one
}
"""Commands that do not end with 0 here, and what they say instead."""

HERE = {
    "helm install …": "helm install gptbot charts/gptbot --namespace gptbot",
    "--timeout=5m": "--timeout=1s",
    "redis.example.com": "127.0.0.1",
}
"""What stands for something else in a document, or takes long, and what is run in its place."""


def commands(path: Path) -> list[str]:
    """Every command of a document, in order."""
    return list(shell_lines(path))


def reason(command: str) -> str | None:
    """Why a command is not run; None when it is."""
    return next((why for pattern, why in NOT_RUN.items() if re.fullmatch(pattern, _plain(command))), None)


def where(command: str) -> Where:
    """Where a command is run. Raises LookupError when nobody has said that."""
    if reason(command) is not None:
        return "nowhere"
    try:
        return RUN[command.split()[0]]
    except KeyError:
        raise LookupError(f"`{command}`: say in tests/docs/commands.py where it is run, or why it cannot be") from None


def as_run(command: str) -> str:
    """A command as it is run here."""
    for written, run in HERE.items():
        command = command.replace(written, run)
    return command


def _plain(command: str) -> str:
    """A command without its comment, with single spaces."""
    return " ".join(re.split(r"\s+# ", command)[0].split())
