"""Several installations of the operator: who serves a bot, and whether two look after the same namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations

from kubectl_gptbot.doctor.finding import Finding, note, ok, unseen, wrong
from kubectl_gptbot.doctor.scene import BotScene, ClusterScene, Hidden
from kubectl_gptbot.kubectl import Document
from kubectl_gptbot.objects import name, status

_LEASE, _NAMESPACES = "GPTBOT_LEASE", "GPTBOT_NAMESPACES"
_APART = (
    "let them serve different namespaces (chart value operator.namespaces), or name one in spec.operator of each bot"
)


def are_apart(scene: ClusterScene) -> Iterator[Finding]:
    """No two installations serve the same namespace: the first one has its bots, the other stands back."""
    operators = [] if isinstance(scene.operators, Hidden) else scene.operators
    for one, two in combinations(operators, 2):
        mine, others = _namespaces(one), _namespaces(two)
        both = (mine or others) if not (mine and others) else mine & others
        if _lease(one) == _lease(two) or (mine and others and not both):
            continue
        where = ", ".join(sorted(both)) if both else "all namespaces"
        yield note(f"{_lease(one)} and {_lease(two)} both serve {where}: each bot is served by one of them", _APART)


def one_serves_it(scene: BotScene) -> Iterator[Finding]:
    """The installation that serves the bot is the one it asks for, and is alive."""
    served, named = str(status(scene.bot).get("servedBy") or ""), str(scene.bot["spec"].get("operator") or "")
    if named and served != named:
        who = f"{served} serves it" if served else "nobody serves it"
        fix = f"is {named} the NAMESPACE/NAME of the Lease of an operator that runs and serves this namespace?"
        yield wrong(f"ServedByAnother: spec.operator names {named}, and {who}", fix)
    elif served and isinstance(scene.lease, Hidden):
        yield unseen(f"the Lease of {served}, which serves it")
    elif served and (why := _rests(scene.lease)):
        fix = f"start that operator again, or name another: {_name(scene, 'NAMESPACE/NAME')}"
        yield wrong(f"{served} serves it, and {why}", fix)
    elif served:
        yield ok(f"{served} serves it")
    if not named and not isinstance(scene.warnings, Hidden):
        for each in _told(scene):
            yield note(f"ServedByAnother: {each.get('message') or each.get('note', '')}", _name(scene, served))


def _told(scene: BotScene) -> list[Document]:
    assert not isinstance(scene.warnings, Hidden)
    return [
        each
        for each in scene.warnings
        if each.get("reason") == "ServedByAnother" and (each.get("involvedObject") or {}).get("name") == scene.name
    ]


def _name(scene: BotScene, installation: str) -> str:
    patch = f'{{"spec": {{"operator": "{installation}"}}}}'
    return f"kubectl patch gptbot {scene.name} --type=merge --patch '{patch}'"


def _rests(lease: Document | Hidden | None) -> str:
    """Why nobody works for an installation; empty: somebody does."""
    if lease is None or isinstance(lease, Hidden):
        return "it has no Lease any more"
    spec: Document = lease.get("spec") or {}
    renewed = str(spec.get("renewTime") or "")
    if not spec.get("holderIdentity") or not renewed:
        return "none of its operators leads"
    age = (datetime.now(UTC) - datetime.fromisoformat(renewed.replace("Z", "+00:00"))).total_seconds()
    return f"its Lease was renewed last at {renewed}" if age > 3 * spec.get("leaseDurationSeconds", 15) else ""


def _lease(operator: Document) -> str:
    return _given(operator, _LEASE) or f"{operator['metadata']['namespace']}/{name(operator)}"


def _namespaces(operator: Document) -> frozenset[str]:
    """Those it serves; none: all."""
    return frozenset(filter(None, map(str.strip, _given(operator, _NAMESPACES).split(","))))


def _given(operator: Document, variable: str) -> str:
    containers: list[Document] = operator["spec"]["template"]["spec"]["containers"]
    given = [each for container in containers for each in container.get("env") or () if each["name"] == variable]
    return str(given[0].get("value") or "") if given else ""
