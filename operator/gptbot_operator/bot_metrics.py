"""What the operator tells Prometheus of each bot: its conditions, as kube-state-metrics does of its objects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from gptbot_operator.cluster import Document


@dataclass(frozen=True, slots=True)
class _Bot:
    conditions: tuple[tuple[str, str], ...]
    """Type and status of each."""
    info: tuple[tuple[str, str], ...]


class SeenBots(Collector):
    """The conditions of all bots, as they are when they are asked for.

    Read in the thread of the metrics server, and made line by line: 5,000 bots have 120,000 lines.
    """

    def __init__(self) -> None:
        self._bots: dict[str, _Bot] = {}

    def note(self, bot: Document, status: Document, image: str) -> None:
        """Take over the status of a bot. `image`: of its pods."""
        metadata = bot["metadata"]
        conditions = tuple(
            (sys.intern(str(each["type"])), sys.intern(str(each["status"]).lower())) for each in status["conditions"]
        )
        suspended = "true" if bot["spec"].get("suspend") else "false"
        info = (("version", _version(image)), ("image", image), ("suspended", suspended))
        seen = _Bot(conditions, info)
        key = f"{metadata['namespace']}/{metadata['name']}"
        if self._bots.get(key) != seen:
            self._bots[key] = seen

    def forget(self, key: str) -> None:
        """A bot (`namespace/name`) is gone, and its metrics with it."""
        self._bots.pop(key, None)

    def describe(self) -> Iterator[Metric]:
        """Their names."""
        yield _Lazily("gptbot_bot_condition", "Whether a condition of a bot has a status: 1 for the one it has.", ())
        yield _Lazily("gptbot_bot_info", "A bot that this operator serves: always 1.", ())

    def collect(self) -> Iterator[Metric]:
        """What is known now."""
        bots = [(*key.split("/", 1), bot) for key, bot in sorted(self._bots.copy().items())]
        condition, info = self.describe()
        condition.samples = _conditions(bots)  # type: ignore[assignment]
        info.samples = _infos(bots)  # type: ignore[assignment]
        yield condition
        yield info


class _Lazily(Metric):
    """A gauge whose samples are made while they are written."""

    samples: Any

    def __init__(self, name: str, text: str, samples: Any) -> None:
        super().__init__(name, text, "gauge")
        self.samples = samples


def _conditions(bots: list[Any]) -> Iterator[Sample]:
    for namespace, name, bot in bots:
        for kind, holds in bot.conditions:
            for status in ("true", "false", "unknown"):
                labels = {"namespace": namespace, "bot": name, "condition": kind, "status": status}
                yield Sample("gptbot_bot_condition", labels, float(status == holds))


def _infos(bots: list[Any]) -> Iterator[Sample]:
    for namespace, name, bot in bots:
        yield Sample("gptbot_bot_info", {"namespace": namespace, "bot": name, **dict(bot.info)}, 1.0)


def _version(image: str) -> str:
    """The tag of an image; without one, what Kubernetes takes then, or nothing where a digest says what it is."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return sys.intern(tag or ("" if digest else "latest"))


SEEN = SeenBots()
REGISTRY.register(SEEN)
