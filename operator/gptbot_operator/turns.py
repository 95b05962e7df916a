"""New pods for all bots, wave by wave: what of a bot is applied now, what is kept back, and what becomes of it.

What the installation changes (the image, its defaults, the shape of pods in a newer release) waits for the bot's turn
in `waves.py`: its gateway first, its workers when that works. What the bot's owner changes is applied at once. All of
it is derived from the Deployments (`stamps.py`) and the Lease (`board.py`), so that another operator can go on with it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from gptbot_api import GptBot
from gptbot_operator import metrics
from gptbot_operator.apply import Outcome
from gptbot_operator.board import Board
from gptbot_operator.cache import Observed
from gptbot_operator.cluster import Document
from gptbot_operator.desired.children import Identity
from gptbot_operator.desired.context import gateway_name
from gptbot_operator.pods import PodTrouble
from gptbot_operator.rollout import stuck_by
from gptbot_operator.settings import Settings
from gptbot_operator.stamps import By, Stamp, template_digest
from gptbot_operator.verdict import Seen, available, is_rolled_out
from gptbot_operator.waves import Trouble, View, Waves
from gptbot_operator.workqueue import WorkQueue

_DEADLINE = 600.0
"""Seconds that a bot has to answer again after its turn has come, as many as a Deployment has to make progress."""
_NO_POD_MADE = ("FailedCreate", "ReplicaFailure")
"""Reasons that say nothing about new pods: there are none, as a quota of the bot's namespace may want it."""
_AGAIN = 10.0
"""Seconds for which others go before a bot whose Deployment is refused, at least."""
_SHOWN, _LONGEST = 20, 200
"""Bots that a report names, and characters about each: it is an annotation of the Lease."""

_log = structlog.get_logger("gptbot_operator")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look is to do about the pods of a bot."""

    manifests: list[Document]
    """Its children; Deployments are stamped."""
    held: frozenset[Identity] = frozenset()
    """Deployments that keep the pod template they have."""
    went: frozenset[Identity] = frozenset()
    """Deployments that get new pods in a wave now."""
    templates: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name of each Deployment to the digest of its newest template."""
    counts: bool = True
    """It has pods that somebody may touch."""


class Turns:
    """Keeps the line of all bots."""

    def __init__(
        self, settings: Settings, queue: WorkQueue, board: Board, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` gives seconds."""
        self._waves = Waves(settings.rollout_most, settings.rollout_pause)
        self._image = settings.image
        self._queue = queue
        self._board = board
        self._clock = clock
        self._looked: set[str] = set()
        """Bots that this operator has looked at, until it knows all."""
        self._since: dict[str, float] = {}
        """Bots that are being rolled, and since when."""
        self._told: dict[str, str] = {}
        """Bots whose failure was told of, and its mark."""
        self._said = ""
        board.report = self.report
        for state in ("newest", "waiting", "rolling", "failed"):
            metrics.ROLLOUT.labels(state).set_function(lambda state=state: getattr(self._waves.count(), state))

    def take(
        self, key: str, bot: GptBot, manifests: Sequence[Document], owner: str, deployments: Mapping[str, Observed],
        *, edited: bool, answers: bool, paused: bool,
    ) -> Turn:  # fmt: skip
        """What is to be done now. `deployments`: those that are there, by name.

        `owner`: digest of what its owner wants. `edited`: its spec was not applied yet, for Deployments that do not say
        what their owner wanted. `answers`: the condition Ready was True.
        """
        if bot.spec.suspend or paused:
            self._waves.leave(key)
            return Turn([_stamped(each, owner, "own") for each in manifests], counts=False)
        templates = {each["metadata"]["name"]: template_digest(each) for each in manifests if _has_pods(each)}
        gateway = deployments.get(gateway_name(bot))
        by: By = "down" if not available(gateway) else "wave" if answers else "quiet"
        out: list[Document] = []
        held, went = set[Identity](), set[Identity]()
        for manifest in manifests:
            if not _has_pods(manifest):
                out.append(manifest)
                continue
            name, kind = manifest["metadata"]["name"], manifest["kind"]
            live = deployments.get(name)
            stamp = Stamp.of(live)
            if stamp is not None and stamp.template == templates[name]:
                out.append(_stamped(manifest, owner, stamp.by, templates[name]))
            elif live is None or _by_owner(stamp, owner, edited):
                out.append(_stamped(manifest, owner, "own", templates[name]))
            elif self._may_go(key, bot, name, gateway, templates):
                went.add((kind, name))
                out.append(_stamped(manifest, owner, _brought_by(bot, name, gateway, templates, by), templates[name]))
            else:
                held.add((kind, name))
                out.append(manifest)
        return Turn(out, frozenset(held), frozenset(went), templates)

    def _may_go(self, key: str, bot: GptBot, name: str, gateway: Observed | None, templates: Mapping[str, str]) -> bool:
        self._read_board()
        if not self._waves.may_go(key):
            return False
        if name == gateway_name(bot) or not available(gateway):
            return True
        assert gateway is not None
        stamp = Stamp.of(gateway)
        return stamp is not None and stamp.template == templates.get(gateway_name(bot)) and _works(gateway)

    def saw(
        self, key: str, bot: GptBot, turn: Turn, deployments: Mapping[str, Observed], seen: Seen, outcome: Outcome,
        ready: Mapping[str, str],
    ) -> str:  # fmt: skip
        """Note how a bot stands after a look. Returns what is to be told of a failure; empty: nothing new.

        `ready`: its condition Ready as it is now.
        """
        now = self._clock()
        if not turn.counts:
            self.leave(key)
            return ""
        stamps = {name: Stamp.of(deployments.get(name)) for name in turn.templates}
        newest = {name: s for name, s in stamps.items() if s is not None and s.template == turn.templates[name]}
        waved = {name: stamp for name, stamp in newest.items() if stamp.by != "own"}
        pods = {gateway_name(bot): seen.gateway_pods}
        trouble = self._trouble(
            key, turn, {n: stuck_by(deployments[n], pods.get(n, seen.worker_pods)) for n, s in waved.items()
                        if s.by != "down"},
        )  # fmt: skip
        awaited = [n for n, s in waved.items() if s.by != "down" and not _works(deployments[n])]
        silent = ready["status"] != "True" and any(stamp.by == "wave" for stamp in waved.values())
        rolls = (bool(awaited) or silent) and (trouble is None or trouble.halts)
        rolls = rolls and not self._is_excused(key, turn)
        trouble = trouble or self._late(key, turn, rolls, now, ready)
        view = View(
            waits=self.waits(turn, deployments)
            and (trouble is None or trouble.halts), rolls=rolls,
            fresh=bool(waved), down=not available(deployments.get(gateway_name(bot))), trouble=trouble,
        )  # fmt: skip
        self._waves.put(key, view, now)
        for identity in turn.went:
            if fault := outcome.held_up(identity[1]):
                self._waves.refused(key, _short(fault.text), now, max(_AGAIN, self._waves.pause))
        if (rest := self._waves.rests(key, now)) is not None:
            self._queue.add_after(key, rest + 0.01)
        return self._tell(key, turn, trouble)

    @staticmethod
    def waits(turn: Turn, deployments: Mapping[str, Observed]) -> bool:
        """Whether a bot has pods that are to be replaced in its turn."""
        stamps = {name: Stamp.of(deployments[name]) for name in turn.templates if name in deployments}
        return turn.counts and any(s is None or s.template != turn.templates[name] for name, s in stamps.items())

    def _trouble(self, key: str, turn: Turn, stuck: Mapping[str, PodTrouble | None]) -> Trouble | None:
        found = [(name, trouble) for name, trouble in stuck.items() if trouble is not None]
        if not found:
            return None
        text = "; ".join(f"{name}: {trouble.reason}: {trouble.message}" for name, trouble in found)
        harmless = all(trouble.reason in _NO_POD_MADE for _, trouble in found)
        return Trouble(_short(text), halts=not harmless and not self._is_excused(key, turn))

    def _late(self, key: str, turn: Turn, rolls: bool, now: float, ready: Mapping[str, str]) -> Trouble | None:
        if not rolls:
            self._since.pop(key, None)
            return None
        if now - self._since.setdefault(key, now) < _DEADLINE or self._is_excused(key, turn):
            return None
        why = f"{ready['reason']}: {ready['message']}" if ready["status"] != "True" else "its pods are not ready"
        return Trouble(_short(f"it does not answer again after {_DEADLINE / 60:g} minutes: {why}"))

    def _tell(self, key: str, turn: Turn, trouble: Trouble | None) -> str:
        if trouble is None or not trouble.halts:
            self._told.pop(key, None)
            return ""
        if self._told.get(key) == (mark := _mark(key, turn.templates)):
            return ""
        self._told[key] = mark
        _log.warning(
            "new pods fail; no other bot is rolled until they work, another image comes, or somebody resumes",
            bot=key, reason=trouble.text, waiting=self._waves.count().waiting,
        )  # fmt: skip
        return f"new pods of this bot fail, so the rollout stops: {trouble.text}"

    def _is_excused(self, key: str, turn: Turn) -> bool:
        return _mark(key, turn.templates) in self._board.excused

    def leave(self, key: str) -> None:
        """A bot does not count: nothing of it may be touched, or it has no pods."""
        self._waves.leave(key)
        self._since.pop(key, None)
        self._told.pop(key, None)

    def looked(self, key: str, known: int | None) -> None:
        """A look at a bot is over, whatever came of it. `known`: bots there are; None: they were not all listed yet.

        Others may begin when all were looked at: before, nobody knows which are being rolled.
        """
        if not self._waves.complete:
            self._looked.add(key)
            if known is not None and len(self._looked) >= known:
                self._waves.complete = True
                self._looked.clear()
        self._read_board()
        for each in self._waves.begin(self._clock()):
            _log.info("a bot gets new pods", bot=each, waiting=self._waves.count().waiting)
            self._queue.add(each)
        self._show()

    def _read_board(self) -> None:
        self._waves.paused = self._board.paused

    def _show(self) -> None:
        stands = self._state()
        if stands == self._said:
            return
        self._said = stands
        count = self._waves.count()
        metrics.ROLLOUT_STOPPED.set(stands == "stopped")
        _log.info("rollout", state=stands, newest=count.newest, waiting=count.waiting, failed=count.failed)

    def _state(self) -> str:
        if not self._waves.complete:
            return "starting"
        if self._board.paused:
            return "paused"
        if not self._waves.left:
            return "complete"
        return "stopped" if self._waves.halted else "rolling"

    def report(self) -> str:
        """How the rollout stands, as JSON of bounded length."""
        count, troubles = self._waves.count(), sorted(self._waves.troubles.items())
        halting = [key for key, trouble in troubles if trouble.halts]
        document: dict[str, Any] = {
            "state": self._state(),
            "image": self._image,
            "maxUnavailableBots": str(self._waves.most),
            "atATime": self._waves.limit,
            "pauseSeconds": self._waves.pause,
            "newest": count.newest,
            "waiting": count.waiting,
            "rolling": count.rolling,
            "failed": count.failed,
            "rollingBots": sorted(self._waves.rolling)[:_SHOWN],
            "failedBots": [
                {"bot": key, "why": trouble.text, "stops": trouble.halts}
                for key, trouble in sorted(troubles, key=lambda each: not each[1].halts)[:_SHOWN]
            ],
            "marks": sorted(mark for key in halting if (mark := self._told.get(key))),
        }
        return json.dumps(document, separators=(",", ":"))


def _has_pods(manifest: Document) -> bool:
    return manifest["kind"] == "Deployment"


def _stamped(manifest: Document, owner: str, by: By, template: str = "") -> Document:
    if not _has_pods(manifest):
        return manifest
    return Stamp(template or template_digest(manifest), owner, by).on(manifest)


def _by_owner(stamp: Stamp | None, owner: str, edited: bool) -> bool:
    """Whether it is the bot's owner who wants other pods."""
    return edited if stamp is None else stamp.owner != owner


def _brought_by(bot: GptBot, name: str, gateway: Observed | None, templates: Mapping[str, str], by: By) -> By:
    """Workers follow their gateway: how the bot was before is told there."""
    stamp = Stamp.of(gateway)
    if name == gateway_name(bot) or stamp is None or stamp.template != templates.get(gateway_name(bot)):
        return by
    return by if stamp.by == "own" else stamp.by


def _works(deployment: Observed) -> bool:
    """Whether all pods are of the newest template, and as many are available as there should be."""
    if not is_rolled_out(deployment):
        return False
    facts = deployment.facts
    over = facts["conditions"].get("Progressing", {}).get("reason") == "NewReplicaSetAvailable"
    return facts["available"] >= facts["replicas"] or (over and facts["available"] > 0)


def _mark(key: str, templates: Mapping[str, str]) -> str:
    """Names a bot with its newest pods, and nothing else of either."""
    text = json.dumps([key, sorted(templates.items())])
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _short(text: str) -> str:
    """A text for one line."""
    return "".join(each if each.isprintable() else " " for each in text)[:_LONGEST]
