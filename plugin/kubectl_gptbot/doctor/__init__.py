"""`kubectl gptbot doctor`: walks all that can be wrong with a bot, and says what to do.

`scene.py` looks at the cluster, once. Each check is a function from what was seen to findings, and stands in one of the
lists below; a check that was not allowed to look says so and fails nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.text import Text

from kubectl_gptbot.doctor import (
    cluster,
    conditions,
    installations,
    platforms,
    pods,
    references,
    service,
    traffic,
    workers,
)
from kubectl_gptbot.doctor.finding import Finding
from kubectl_gptbot.doctor.scene import BotScene, ClusterScene, look_at_bot, look_at_cluster
from kubectl_gptbot.kubectl import KIND, Kubectl

CLUSTER_CHECKS: Sequence[tuple[str, Callable[[ClusterScene], Iterable[Finding]]]] = (
    ("resource", cluster.resource_is_there),
    ("operator", cluster.operator_runs),
    ("operators", installations.are_apart),
)
BOT_CHECKS: Sequence[tuple[str, Callable[[BotScene], Iterable[Finding]]]] = (
    ("operator", cluster.operator_has_seen_it),
    ("operators", installations.one_serves_it),
    ("paused", conditions.is_paused),
    ("suspended", conditions.is_suspended),
    ("conditions", conditions.hold),
    ("platforms", platforms.are_connected),
    ("references", references.are_there),
    ("rollout", pods.are_made),
    ("pods", pods.run),
    ("autoscaler", workers.autoscaler_measures),
    ("backlog", workers.keep_up),
    ("service", service.leads_to_gateways),
    ("ingress", traffic.ingress),
    ("route", traffic.http_route),
    ("network", traffic.network_policy),
    ("disruptions", traffic.disruption_budgets),
    ("monitoring", traffic.pod_monitor),
)

_MARKS = {"ok": ("✓", "green"), "note": ("·", "cyan"), "wrong": ("✗", "red"), "unseen": ("?", "yellow")}


def examine(kubectl: Kubectl, name: str, *, everywhere: bool, as_json: bool) -> bool:
    """Print what was found about a bot, or about all bots; False when something is wrong. Raises ClusterError."""
    scene = look_at_cluster(kubectl)
    report = {"cluster": _findings(CLUSTER_CHECKS, scene)}
    if scene.served:
        chosen = ["--all-namespaces"] if everywhere else []
        bots = [kubectl.bot(name)] if name else kubectl.items(KIND, *chosen)
        for bot in bots:
            key = f"{bot['metadata']['namespace']}/{bot['metadata']['name']}"
            report[key] = _findings(BOT_CHECKS, look_at_bot(kubectl, bot))
    if as_json:
        print(json.dumps({part: [each.document() for each in found] for part, found in report.items()}, indent=2))  # noqa: T201
    else:
        _show(report)
    return not any(each.level == "wrong" for found in report.values() for each in found)


def _findings(checks: Sequence[tuple[str, Callable[..., Iterable[Finding]]]], scene: object) -> list[Finding]:
    return [finding.of(title) for title, check in checks for finding in check(scene)]


def _show(report: dict[str, list[Finding]]) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for part, found in report.items():
        console.print(Text(part, "bold"))
        for each in found:
            mark, colour = _MARKS[each.level]
            console.print(Text.assemble((f"  {mark} ", colour), (f"{each.check}: ", "bold"), each.what))
            if each.fix:
                console.print(Text(f"      → {each.fix}", colour))
    every = [each for found in report.values() for each in found]
    wrong, unseen = (sum(each.level == level for each in every) for level in ("wrong", "unseen"))
    verdict = f"{wrong} things are wrong" if wrong > 1 else "1 thing is wrong" if wrong else "Nothing is wrong"
    console.print(f"\n{verdict}{f'; {unseen} could not be looked at' if unseen else ''}.")
