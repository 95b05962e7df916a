"""`kubectl gptbot status`: one bot in full, or a line for each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kubectl_gptbot.kubectl import BOT_LABEL, KIND, ClusterError, Document, Kubectl
from kubectl_gptbot.objects import age, conditions, name, ready, role, status, time_of

_EVENTS = 10
_COLOURS = {"True": "green", "False": "red", "Unknown": "yellow"}


def overview(kubectl: Kubectl, *, everywhere: bool, as_json: bool) -> None:
    """Print a line for each bot. Raises ClusterError."""
    bots = kubectl.items(KIND, *(["--all-namespaces"] if everywhere else []))
    if as_json:
        print(json.dumps({"bots": [summary(bot) for bot in bots]}, indent=2))  # noqa: T201
        return
    console = Console(highlight=False, markup=False)
    if not bots:
        console.print("There are no GptBots here; `kubectl gptbot new` makes one.")
        return
    table = Table(
        "NAMESPACE", "NAME", "READY", "PLATFORMS", "WORKERS", "BACKLOG", "AGE", "WHY", box=None, pad_edge=False
    )
    for bot in map(summary, bots):
        platforms = ",".join(each["name"] + ("" if each["connected"] else "!") for each in bot["platforms"])
        workers, backlog = bot["workers"], bot["backlog"]
        why = "" if bot["ready"] == "True" and bot["reason"] == "Answering" else bot["message"] or bot["reason"]
        why = "; ".join(filter(None, ("paused" if bot["paused"] else "", why)))
        table.add_row(
            bot["namespace"], bot["name"], Text(bot["ready"], _COLOURS[bot["ready"]]), platforms,
            f"{workers.get('ready', 0)}/{workers.get('desired', 0)}", "?" if backlog is None else str(backlog),
            age(bot["since"]), why,
        )  # fmt: skip
    console.print(table)


def one(kubectl: Kubectl, wanted: str, *, as_json: bool) -> None:
    """Print all there is to know of one bot. Raises ClusterError."""
    bot = kubectl.bot(wanted)
    with ThreadPoolExecutor() as pool:
        selector = f"--selector={BOT_LABEL}={wanted}"
        kinds = ["deployments", "pods"]
        parts = {kind: pool.submit(_seen, kubectl, kind, selector) for kind in kinds}
        regarding = f"--field-selector=involvedObject.kind=GptBot,involvedObject.name={wanted}"
        parts["events"] = pool.submit(_seen, kubectl, "events", regarding)
    document = details(bot, **{kind: part.result() for kind, part in parts.items()})
    if as_json:
        print(json.dumps(document, indent=2))  # noqa: T201
    else:
        show(Console(highlight=False, markup=False), document)


def _seen(kubectl: Kubectl, *arguments: str) -> list[Document] | None:
    """None: the user may not see them, and the rest is worth showing all the same."""
    try:
        return kubectl.items(*arguments)
    except ClusterError:
        return None


def summary(bot: Document) -> Document:
    """A bot in short. All of it is in `details` too."""
    seen, is_ready = status(bot), conditions(bot).get("Ready", {})
    return {
        "namespace": bot["metadata"].get("namespace", ""),
        "name": name(bot),
        "ready": is_ready.get("status", "Unknown"),
        "reason": is_ready.get("reason", "NotSeen"),
        "message": is_ready.get("message", "" if is_ready else "no operator has looked at it yet"),
        "paused": conditions(bot).get("Paused", {}).get("status") == "True",
        "since": bot["metadata"].get("creationTimestamp"),
        "platforms": seen.get("platforms") or [],
        "workers": seen.get("workers") or {},
        "backlog": seen.get("backlog"),
    }


def details(
    bot: Document, deployments: list[Document] | None, pods: list[Document] | None, events: list[Document] | None
) -> Document:
    """All that is shown of a bot, as data for scripts. What the user may not see is null."""
    return summary(bot) | {
        "current": status(bot).get("observedGeneration") == bot["metadata"].get("generation"),
        "suspended": bool((bot.get("spec") or {}).get("suspend")),
        "conditions": status(bot).get("conditions") or [],
        "rollout": None if deployments is None else {role(each): _rollout(each) for each in deployments},
        "pods": None if pods is None else [_pod(each) for each in sorted(pods, key=name)],
        "events": None if events is None else [_event(each) for each in sorted(events, key=time_of)[-_EVENTS:]],
    }


def _rollout(deployment: Document) -> Document:
    seen = status(deployment)
    counts = {key: seen.get(f"{key}Replicas", 0) for key in ("ready", "updated", "available")}
    wanted = deployment["spec"].get("replicas", 1)
    current = seen.get("observedGeneration") == deployment["metadata"].get("generation")
    total = seen.get("replicas", 0)
    done = current and {total, *counts.values()} == {wanted}
    return {"desired": wanted, "total": total, **counts, "complete": done}


def _pod(pod: Document) -> Document:
    containers: list[Document] = status(pod).get("containerStatuses") or []
    waiting = next(
        (each["state"]["waiting"].get("reason") for each in containers if each["state"].get("waiting")), None
    )
    ending = "Terminating" if pod["metadata"].get("deletionTimestamp") else None
    return {
        "name": name(pod),
        "role": role(pod),
        "ready": ready(pod),
        "state": ending or waiting or status(pod).get("phase", "Unknown"),
        "restarts": sum(each.get("restartCount", 0) for each in containers),
        "since": pod["metadata"].get("creationTimestamp"),
    }


def _event(event: Document) -> Document:
    return {"time": time_of(event), **{key: event.get(key, "") for key in ("type", "reason", "message")}}


def show(console: Console, bot: Document) -> None:
    """Print `details` for a person."""
    console.print(
        Text(f"{bot['namespace']}/{bot['name']}", "bold"),
        Text("suspended" if bot["suspended"] else "" if bot["ready"] != "True" else "ready", "green"),
        Text("paused" if bot["paused"] else "", "yellow"),
    )
    if not bot["current"]:
        console.print(Text("the operator has not seen the newest spec yet", "yellow"))
    _section(console, "Conditions", ([
        each["type"], Text(each["status"], _COLOURS[each["status"]]), each["reason"],
        age(each["lastTransitionTime"]), each.get("message", ""),
    ] for each in bot["conditions"]))  # fmt: skip
    _section(console, "Platforms", ([
        each["name"], Text(*(("connected", "green") if each["connected"] else ("not connected", "red"))),
        each.get("username", ""), age(each.get("since")), each.get("inviteLink", ""), each.get("message", ""),
    ] for each in bot["platforms"]))  # fmt: skip
    workers = bot["workers"]
    backlog = "unknown" if bot["backlog"] is None else str(bot["backlog"])
    console.print(f"\nWorkers: {workers.get('ready', 0)} of {workers.get('desired', 0)} ready.  Backlog: {backlog}.")
    _section(console, "Rollout", ([
        part, "complete" if each["complete"] else Text("under way", "yellow"),
        f"{each['updated']} of {each['desired']} new, {each['ready']} ready, {each['total']} in all",
    ] for part, each in (bot["rollout"] or {}).items()))  # fmt: skip
    _section(console, "Pods", ([
        each["name"], Text(each["state"], "green" if each["ready"] else "yellow"),
        f"{each['restarts']} restarts", age(each["since"]),
    ] for each in bot["pods"] or ()))  # fmt: skip
    _section(console, "Events", ([
        age(each["time"]), Text(each["type"], "yellow" if each["type"] == "Warning" else ""), each["reason"],
        each["message"],
    ] for each in bot["events"] or ()))  # fmt: skip
    hidden = [part for part in ("rollout", "pods", "events") if bot[part] is None]
    if hidden:
        console.print(f"\nYou have no right to see: {', '.join(hidden)}.")


def _section(console: Console, title: str, rows: Iterable[list[Any]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        console.print(f"\n{title}")
        console.print(table)
