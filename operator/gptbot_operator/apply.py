"""Makes the children of a bot what they are to be, each as far as the API server allows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gptbot_api import GptBot
from gptbot_operator.applied import Applied
from gptbot_operator.cache import Cache
from gptbot_operator.child import Look, NotOurs, apply_child, remove_child
from gptbot_operator.cluster import ApiError, Cluster, Document
from gptbot_operator.desired.children import Identity, possible
from gptbot_operator.refusals import Fault

_NEEDED_BY_PODS = ("ConfigMap", "Secret", "ServiceAccount")


@dataclass(slots=True)
class Outcome:
    """What could not be done."""

    faults: dict[Identity, Fault] = field(default_factory=dict[Identity, Fault])
    """Children that are not as they should be; some of them were not tried in this look."""
    waiting: dict[Identity, Fault] = field(default_factory=dict[Identity, Fault])
    """Deployments that are left as they are, and the fault of what their pods need."""
    tried: bool = False
    """A fault is of this look."""

    @property
    def conflicts(self) -> list[str]:
        """A line for each child whose name somebody else has."""
        return [fault.text for fault in self.faults.values() if fault.conflict]

    @property
    def failures(self) -> list[str]:
        """A line for each child that was refused."""
        return [fault.text for fault in self.faults.values() if not fault.conflict]

    @property
    def holds_up_pods(self) -> bool:
        """A Deployment is not as it should be, or what its pods log in with."""
        return bool(self.waiting) or any(kind in ("Deployment", "Secret") for kind, _ in self.faults)

    def held_up(self, deployment: str) -> Fault | None:
        """Why a Deployment is not as it should be."""
        identity = ("Deployment", deployment)
        return self.faults.get(identity) or self.waiting.get(identity)


async def apply_children(
    cluster: Cluster,
    cache: Cache,
    bot: GptBot,
    manifests: list[Document],
    applied: Applied,
    *,
    served: Collection[str],
    unserved: Mapping[Identity, str],
    everything: bool,
    new: bool = False,
    secret_read: bool = True,
    untouched: Collection[str] = (),
    held: Collection[Identity] = (),
) -> Outcome:
    """Remove the children that are not wanted, apply those that are and that are not so already.

    `served`: which of the kinds that not every cluster has are there; `unserved`: children that it cannot have, and a
    line for each. `everything`: look at the API server itself, whatever the watches have shown. `new` and `secret_read`
    are those of a Look, as is `held`. `untouched`: kinds that stay as they are. A child that cannot be applied does not
    keep the others from it, but Deployments stay as they are while what their pods need is not as it should be.

    Raises ApiError when the API server does not answer at all, SecretUnknown when the Secret is to be read first.
    """
    look, outcome = Look(cluster, cache, bot, applied, new, secret_read, held), Outcome()
    applied.begin(bot.metadata.generation, everything=everything)
    wanted: dict[Identity, Document] = {
        (m["kind"], m["metadata"]["name"]): m for m in manifests if m["kind"] not in untouched
    }
    for identity in possible(bot, served):
        if identity not in wanted and identity[0] not in untouched:
            await _attempt(look, outcome, identity, partial(remove_child, look, identity))
    for identity, manifest in wanted.items():
        applied.absent.discard(identity)
        if fault := _lacking(bot, identity, outcome):
            outcome.waiting[identity] = fault
        else:
            await _attempt(look, outcome, identity, partial(apply_child, look, identity, manifest))
    for identity, text in unserved.items():
        if not applied.refusals.held(identity, None):
            _refused(look, outcome, identity, Fault(text))
        outcome.faults[identity] = Fault(text)
    applied.refusals.keep(outcome.faults)
    return outcome


async def _attempt(
    look: Look, outcome: Outcome, identity: Identity, work: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Do it, unless the child was refused a moment ago. Raises ApiError when the API server is away."""
    if fault := look.applied.refusals.held(identity, _uid(look, identity)):
        outcome.faults[identity] = fault
        return
    try:
        await work()
    except NotOurs as error:
        _refused(look, outcome, identity, Fault(str(error), conflict=True))
    except ApiError as error:
        if error.status in (0, 429) or error.status >= 500:
            raise
        _refused(look, outcome, identity, Fault(f"{' '.join(identity)}: {error}"))
    else:
        look.applied.refusals.lift(identity)


def _refused(look: Look, outcome: Outcome, identity: Identity, fault: Fault) -> None:
    outcome.faults[identity] = fault
    outcome.tried = True
    look.applied.refusals.note(identity, _uid(look, identity), fault)


def _uid(look: Look, identity: Identity) -> str | None:
    seen = look.cache.objects.get(look.key(identity))
    return None if seen is None else seen.uid


def _lacking(bot: GptBot, identity: Identity, outcome: Outcome) -> Fault | None:
    """What a Deployment waits for: its pods would run without it, or with somebody else's, or wait for it in vain.

    A suspended bot has no pods, and is to be suspended in any case.
    """
    if identity[0] != "Deployment" or bot.spec.suspend:
        return None
    for needed, fault in outcome.faults.items():
        if needed[0] in _NEEDED_BY_PODS:
            return Fault(f"it waits for {' '.join(needed)}: {fault.text}", fault.conflict)
    return None
