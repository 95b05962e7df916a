"""`kubectl gptbot chat` and `dead`: the bot's own program, run in one of its gateways."""

from __future__ import annotations

import sys

from kubectl_gptbot.kubectl import BOT_LABEL, CONTAINER, ROLE_LABEL, ClusterError, Kubectl
from kubectl_gptbot.objects import name, ready


def chat(kubectl: Kubectl, bot: str, question: str, session: str) -> int:
    """Ask a question, or talk until the input ends; the exit status. Raises ClusterError."""
    arguments = ["chat", *([f"--session={session}"] if session else []), *(["--", question] if question else [])]
    return in_gateway(kubectl, bot, arguments, talks=not question)


def in_gateway(kubectl: Kubectl, bot: str, arguments: list[str], *, talks: bool = False) -> int:
    """Run `gptbot ARGUMENTS` in a gateway; the exit status. Raises ClusterError."""
    pod = gateway_pod(kubectl, bot)
    flags = ["--quiet"]
    if talks:
        flags.append("--stdin")
        if sys.stdin.isatty() and sys.stdout.isatty():
            flags.append("--tty")
    return kubectl.hand_over("exec", *flags, f"--container={CONTAINER}", pod, "--", *bot_command(arguments))


def bot_command(arguments: list[str]) -> list[str]:
    """The command line in the pod, whose environment names manifest, Secrets and store."""
    return ["gptbot", *arguments]


def gateway_pod(kubectl: Kubectl, bot: str) -> str:
    """A gateway that runs, one that is ready if there is one. Raises ClusterError saying why there is none."""
    found = kubectl.bot(bot)
    pods = kubectl.items("pods", f"--selector={BOT_LABEL}={bot},{ROLE_LABEL}=gateway")
    running = [
        pod for pod in pods
        if (pod.get("status") or {}).get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")
    ]  # fmt: skip
    if running:
        return name(max(running, key=ready))
    if (found.get("spec") or {}).get("suspend"):
        raise ClusterError(f"{bot} is suspended and has no pods: set spec.suspend to false")
    raise ClusterError(f"no gateway of {bot} is running; `kubectl gptbot doctor {bot}` says why")
