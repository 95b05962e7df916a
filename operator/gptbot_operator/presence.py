"""Whether GptBots and their pods are still there: what the watches show is not enough to erase things."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import structlog

from gptbot_api import KIND
from gptbot_operator.cache import Cache
from gptbot_operator.cluster import ApiError, Cluster, Document
from gptbot_operator.desired.context import BOT_LABEL, SHARED_STORE

_LOST = timedelta(minutes=2)
"""After its time to end a pod is not waited for any more: its node is gone."""
_ENDED = ("Succeeded", "Failed")

_log = structlog.get_logger("gptbot_operator")


class Presence:
    """The bots of this operator's namespaces."""

    def __init__(self, cache: Cache, cluster: Cluster, namespaces: Collection[str]) -> None:
        self._cache = cache
        self._cluster = cluster
        self._namespaces = namespaces

    def known(self, bot: str, uid: str) -> bool:
        """Whether the watches show a bot (`namespace/name`) with a certain uid that is not being deleted."""
        metadata: Document = self._cache.bots.get(bot, {}).get("metadata", {})
        return metadata.get("uid") == uid and not metadata.get("deletionTimestamp")

    async def gone(self, bots: Collection[str]) -> set[str]:
        """Which bots the API server itself says are deleted; none in doubt, as without the CRD or the right to ask."""
        gone: set[str] = set()
        try:
            if not await self._cluster.serves(KIND):
                return gone
            for bot in bots:
                namespace, _, name = bot.partition("/")
                if self._namespaces and namespace not in self._namespaces:
                    continue  # another operator's
                document = await self._cluster.get(KIND, namespace, name)
                if document is None or document["metadata"].get("deletionTimestamp"):
                    gone.add(bot)
        except ApiError as error:
            _log.info("not known which bots are deleted", reason=str(error))
        return gone

    async def ended(self, bots: Collection[str], *, sharing: bool = False) -> set[str]:
        """Which bots have no pod that may still be answering; none in doubt. `sharing`: none in the shared store."""
        ended: set[str] = set()
        try:
            for bot in bots:
                namespace, _, name = bot.partition("/")
                pods = await self._cluster.list("Pod", namespace, {BOT_LABEL: name})
                if not any(_works(pod) and (_shares(pod) or not sharing) for pod in pods):
                    ended.add(bot)
        except ApiError as error:
            _log.info("not known which pods have ended", reason=str(error))
        return ended


def _works(pod: Document) -> bool:
    if (pod.get("status") or {}).get("phase") in _ENDED:
        return False
    until: str | None = pod["metadata"].get("deletionTimestamp")  # with the time that the pod has to end
    return until is None or datetime.fromisoformat(until) + _LOST > datetime.now(UTC)


def _shares(pod: Document) -> bool:
    """Whether a pod has an address of the shared store: one with a store of its bot's own has that mounted."""
    environment = [each for container in pod["spec"]["containers"] for each in container.get("env") or []]
    return any(each["name"] == SHARED_STORE for each in environment)
