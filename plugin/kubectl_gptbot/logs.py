"""`kubectl gptbot logs`: what a bot's pods say, in the order of time and for people to read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from kubectl_gptbot.following import Following
from kubectl_gptbot.kubectl import BOT_LABEL, CONTAINER, ROLE_LABEL, ClusterError, Kubectl

_PREFIX = re.compile(r"\[pod/([^/\]]+)/[^\]]*\] (.*)")
_LEVELS = {"debug": "dim", "info": "", "warning": "yellow", "error": "red", "critical": "bold red"}
_MOST_PODS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    pod: str
    time: str
    level: str
    text: str


def logs(kubectl: Kubectl, bot: str, role: str, *, follow: bool, tail: int, since: str) -> None:
    """Print the logs. Raises ClusterError."""
    selector = f"{BOT_LABEL}={bot}" + (f",{ROLE_LABEL}={role}" if role else "")
    pods = kubectl.items("pods", f"--selector={selector}")
    if not pods:
        kubectl.bot(bot)  # which may be what is missing
        raise ClusterError(f"{bot} has no {role or 'bot'} pods; `kubectl gptbot doctor {bot}` says why")
    flags = [f"--container={CONTAINER}", "--prefix", "--ignore-errors"]
    limits = [f"--tail={tail}", *([f"--since={since}"] if since else [])]
    all_pods = [f"--selector={selector}", *flags, *limits, f"--max-log-requests={_MOST_PODS}"]
    if follow:
        with Following(kubectl, bot, selector, flags) as following:
            following.start(pods, [*all_pods, "--follow"])
            _print(following.groups())
        return
    with kubectl.output("logs", *all_pods) as process:
        assert process.stdout
        _print([list(process.stdout)])
        if process.wait() != 0:
            raise ClusterError(f"kubectl logs ended with exit status {process.returncode}")


def _print(groups: Iterable[list[str]]) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for group in groups:
        for line in in_order(group):
            console.print(rendered(line))


def in_order(raw: Iterable[str]) -> list[Line]:
    """The lines by their time; one without a time stays behind the one before it of the same pod."""
    last: dict[str, str] = {}
    found: list[Line] = []
    for text in raw:
        line = parsed(text)
        last[line.pod] = line.time or last.get(line.pod, "")
        found.append(Line(line.pod, last[line.pod], line.level, line.text))
    return sorted(found, key=lambda line: line.time)


def parsed(raw: str) -> Line:
    """One line of `kubectl logs --prefix`: structured, or as it is."""
    match = _PREFIX.fullmatch(raw.rstrip("\n"))
    pod, text = (match[1], match[2]) if match else ("", raw.rstrip("\n"))
    try:
        entry: Any = json.loads(text)
    except json.JSONDecodeError:
        return Line(pod, "", "", text)
    if not isinstance(entry, dict) or "event" not in entry:
        return Line(pod, "", "", text)
    fields: dict[str, Any] = entry
    known = ("event", "level", "timestamp", "component", "logger")
    component = fields.get("component") or fields.get("logger")
    said = [f"[{component}]"] if component else []
    said.append(str(fields["event"]))
    said += [f"{key}={_value(value)}" for key, value in fields.items() if key not in known and value is not None]
    return Line(pod, str(fields.get("timestamp", "")), str(fields.get("level", "")), " ".join(said))


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text) if isinstance(value, str) and (" " in text or not text) else text


def rendered(line: Line) -> Text:
    """The line for a terminal: time of day, pod, level, text."""
    clock = line.time.partition("T")[2][:12] or line.time
    return Text.assemble(
        (f"{clock:12} ", "dim"),
        (f"{line.pod} ", "cyan"),
        (f"{line.level.upper():8}", _LEVELS.get(line.level, "")),
        line.text,
    )
