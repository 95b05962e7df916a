"""`kubectl gptbot rollout`: how far new pods have got with all bots of an installation; to pause that, and to go on.

The operator's Lease says it, and takes the orders: whoever may read and patch that Lease needs no other right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.text import Text

from kubectl_gptbot.kubectl import ClusterError, Document, Forbidden, Kubectl
from kubectl_gptbot.objects import name

_LABELS = "app.kubernetes.io/part-of=gptbot,app.kubernetes.io/component=operator"
_PAUSE = "gptbot.dev/rollout"
_EXCUSED = "gptbot.dev/rollout-excused"
_STATUS = "gptbot.dev/rollout-status"
_MOST_EXCUSED = 5000
"""Marks of failures that a Lease keeps: the newest."""
_COLOURS = {"complete": "green", "rolling": "yellow", "starting": "yellow", "paused": "yellow", "stopped": "red"}
_WORDS = {
    "complete": "every bot has the newest pods",
    "rolling": "bots get new pods, one after another",
    "starting": "the operator looks at all bots first",
    "paused": "nothing is begun until somebody resumes: kubectl gptbot rollout resume",
    "stopped": "new pods fail; mend the image or the bots, or leave them out: kubectl gptbot rollout resume",
    "unknown": "no operator of this release has led yet",
}


def show(kubectl: Kubectl, wanted: str, *, as_json: bool) -> None:
    """Print how the rollout of each installation stands. Raises ClusterError."""
    reports = [report(each) for each in _installations(kubectl, wanted)]
    if as_json:
        print(json.dumps({"installations": reports}, indent=2))  # noqa: T201
        return
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for each in reports:
        for line in _lines(each):
            console.print(line)


def pause(kubectl: Kubectl, wanted: str) -> str:
    """Have nothing begun any more; what to say. Raises ClusterError."""
    lease = _the(kubectl, wanted)
    _annotate(kubectl, lease, {_PAUSE: "paused"})
    return f"{_place(lease)}: paused; bots that are being rolled stay as they are"


def resume(kubectl: Kubectl, wanted: str) -> str:
    """Go on, and leave out the bots that fail now; what to say. Raises ClusterError."""
    lease = _the(kubectl, wanted)
    stands = report(lease)
    marks: list[str] = stands.get("marks") or []
    kept = [each for each in _annotations(lease).get(_EXCUSED, "").split(",") if each and each not in marks]
    excused = [] if stands["state"] == "complete" else [*kept, *marks][-_MOST_EXCUSED:]
    _annotate(kubectl, lease, {_PAUSE: None, _EXCUSED: ",".join(excused) or None})
    failed = f"; {len(marks)} that fail are left out" if marks else ""
    return f"{_place(lease)}: goes on{failed}"


def report(lease: Document) -> Document:
    """What a Lease says, as data for scripts."""
    try:
        said: Any = json.loads(_annotations(lease).get(_STATUS, ""))
    except ValueError:
        said = None
    found: Document = said if isinstance(said, dict) and "state" in said else {"state": "unknown"}
    if _annotations(lease).get(_PAUSE) == "paused":
        found["state"] = "paused"  # the operator may not have read it yet
    return {"installation": _place(lease), "leader": (lease.get("spec") or {}).get("holderIdentity") or None, **found}


def _lines(stands: Document) -> Iterator[Text]:
    state = stands["state"]
    yield Text.assemble(
        (stands["installation"], "bold"), "  ", (state, _COLOURS.get(state, "")), f"  {_WORDS.get(state, '')}"
    )
    if stands["leader"] is None:
        yield Text("  no operator leads now: nothing goes on", "red")
    if "image" not in stands:
        return
    yield Text(f"  image    {stands['image']}")
    counts = ", ".join(f"{stands[each]} {each}" for each in ("newest", "rolling", "waiting", "failed"))
    yield Text(
        f"  bots     {counts}; at most {stands['atATime']} at a time ({stands['maxUnavailableBots']}), "
        f"{stands['pauseSeconds']:g} s between"
    )
    for bot in stands["rollingBots"]:
        yield Text(f"  rolling  {bot}")
    for bot in stands["failedBots"]:
        yield Text(f"  failed   {bot['bot']}: {bot['why']}", "red" if bot["stops"] else "yellow")


def _installations(kubectl: Kubectl, wanted: str) -> list[Document]:
    namespace, _, lease = wanted.rpartition("/")
    namespace = namespace or kubectl.namespace
    if namespace and lease:
        found = [each for each in [replace(kubectl, namespace=namespace).get("leases", lease)] if each is not None]
    else:
        where = [] if namespace else ["--all-namespaces"]
        try:
            found = replace(kubectl, namespace=namespace).items("leases", f"--selector={_LABELS}", *where)
        except Forbidden as error:
            raise Forbidden(f"{error}\nname the installation: kubectl gptbot rollout status NAMESPACE/NAME") from None
        found = [each for each in found if not lease or name(each) == lease]
    if not found:
        what = f"no installation {wanted}" if wanted else "no installation of the operator"
        raise ClusterError(f"there is {what} {f'in namespace {namespace}' if namespace else 'in the cluster'}")
    return found


def _the(kubectl: Kubectl, wanted: str) -> Document:
    found = _installations(kubectl, wanted)
    if len(found) > 1:
        raise ClusterError(f"there are several installations; say which: {', '.join(map(_place, found))}")
    return found[0]


def _annotate(kubectl: Kubectl, lease: Document, annotations: dict[str, str | None]) -> None:
    change = json.dumps({"metadata": {"annotations": annotations}})
    there = replace(kubectl, namespace=lease["metadata"]["namespace"])
    there.run("patch", "lease", name(lease), "--type=merge", f"--patch={change}")


def _place(lease: Document) -> str:
    return f"{lease['metadata']['namespace']}/{name(lease)}"


def _annotations(lease: Document) -> dict[str, str]:
    return lease["metadata"].get("annotations") or {}
