"""Whether GptBots are still there: what the watches show is enough to keep things, and not enough to erase them."""

from __future__ import annotations

from collections.abc import Collection

import structlog

from gptbot_api import KIND
from gptbot_operator.cache import Cache
from gptbot_operator.cluster import ApiError, Cluster, Document

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
