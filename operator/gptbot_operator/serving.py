"""Which of several installations serves a bot: `status.servedBy`, which changes hands under an optimistic lock.

An installation is named by its Lease, `NAMESPACE/NAME`, which outlives pods and upgrades. Who does not serve a bot
writes neither its children nor its status: it says so in an Event, its log and a metric.
"""

from __future__ import annotations

import time

import structlog

from gptbot_api import KIND
from gptbot_operator import events, metrics
from gptbot_operator.cluster import ApiError, Cluster, Document
from gptbot_operator.installations import Installations
from gptbot_operator.settings import Settings

_TRIES = 3
"""Most writes of one status over what others change meanwhile."""
_HANDOVER_SECONDS = 30.0
"""For how long an installation that `spec.operator` names waits for the one that serves to let go."""
_CONFLICT = 409

_log = structlog.get_logger("gptbot_operator")


class Serving:
    """Claims bots for this installation, and lets go of those that are another's.

    Without a Lease an operator has no name: it serves what nobody has claimed, and claims nothing.
    """

    def __init__(self, settings: Settings, cluster: Cluster, instance: str) -> None:
        """`instance`: this process, for Events."""
        self._own = settings.lease
        self._cluster = cluster
        self._instance = instance
        self._installations = Installations(
            cluster, max(settings.takeover_seconds, settings.lease_seconds), settings.refresh_seconds
        )
        self._others: dict[str, tuple[str, float]] = {}
        """Bot to the installation that serves it in place of this one, and since when that is known."""

    async def claim(self, bot: str, document: Document) -> Document | None:
        """The GptBot, served by this installation from now on; None: by another. Raises ApiError."""
        for _ in range(_TRIES):
            try:
                return await self._claim(bot, document)
            except ApiError as error:
                if error.status != _CONFLICT:
                    raise
                fresh = await self._cluster.get(KIND, *bot.split("/"))
                if fresh is None or fresh["metadata"]["uid"] != document["metadata"]["uid"]:
                    raise
                document = fresh
        raise ApiError(_CONFLICT, "others change the GptBot all the time; it is looked at again")

    async def write(self, document: Document, status: Document) -> Document:
        """Write the status of a bot that is served here; what comes of it. Raises ApiError, 409: it no longer is."""
        holder = _holder(document)
        for tries_left in reversed(range(_TRIES)):
            try:
                return await self._apply(document, status)
            except ApiError as error:
                if error.status != _CONFLICT or not tries_left:
                    raise
                metadata = document["metadata"]
                fresh = await self._cluster.get(KIND, metadata["namespace"], metadata["name"])
                if fresh is None or fresh["metadata"]["uid"] != metadata["uid"] or _holder(fresh) != holder:
                    raise
                document = fresh
        raise AssertionError

    def holds(self, document: Document) -> bool:
        """Whether a bot is this installation's, as far as its GptBot says."""
        return _holder(document) == (self._own or "")

    def forget(self, bot: str) -> None:
        """The bot is no more, or is served here."""
        self._others.pop(bot, None)
        metrics.ELSEWHERE.set(len(self._others))

    async def _claim(self, bot: str, document: Document) -> Document | None:
        holder, named = _holder(document), str((document.get("spec") or {}).get("operator") or "")
        if named and named != self._own:
            if holder and holder == self._own:
                await self._release(document, named)
            await self._stand_back(bot, document, named, meant=True)
            return None
        if holder != self._own:
            if holder and not await self._may_take(bot, document, holder, named=bool(named)):
                await self._stand_back(bot, document, holder, meant=bool(named))
                return None
            _log.info("bot claimed", bot=bot, from_installation=holder or None)
            document = await self._apply(document, _without_holder(document) | self._mine())
        self.forget(bot)
        return document

    def _mine(self) -> Document:
        return {"servedBy": self._own} if self._own else {}

    async def _may_take(self, bot: str, document: Document, holder: str, *, named: bool) -> bool:
        if await self._installations.serve(holder, document["metadata"]["namespace"]) is False:
            return True
        known = self._others.get(bot)
        return named and known is not None and known[0] == holder and time.monotonic() - known[1] >= _HANDOVER_SECONDS

    async def _release(self, document: Document, named: str) -> None:
        """Let go of a bot that `spec.operator` gives to another. Its pods run on."""
        status = _without_holder(document)
        text = f"spec.operator names {named}, which has not taken the bot yet"
        status["conditions"] = [
            condition | {"status": "Unknown", "reason": "ServedByAnother", "message": text}
            if condition["type"] == "Ready"
            else condition
            for condition in status.get("conditions") or []
        ]
        await self._apply(document, status)

    async def _stand_back(self, bot: str, document: Document, holder: str, *, meant: bool) -> None:
        """Say once that another installation serves the bot; `meant`: the bot's owner has asked for it."""
        if (known := self._others.get(bot)) is not None and known[0] == holder:
            return
        self._others[bot] = holder, time.monotonic()
        metrics.ELSEWHERE.set(len(self._others))
        _log.log(
            20 if meant else 30, "standing back: another installation serves the bot", bot=bot, installation=holder
        )
        try:
            await self._cluster.create(
                events.served_by_another(
                    document, holder, self._own or "an operator without a Lease", self._instance, meant=meant
                )
            )
        except ApiError as error:  # an Event is a courtesy; 409: it was told within the last hour
            _log.debug("event not written", bot=bot, reason=str(error))

    async def _apply(self, document: Document, status: Document) -> Document:
        metadata = document["metadata"]
        kept = ("name", "namespace", "uid", "resourceVersion")
        return await self._cluster.apply(
            {
                "apiVersion": document["apiVersion"],
                "kind": KIND,
                "metadata": {name: metadata[name] for name in kept},
                "status": status,
            },
            status=True,
        )


def _holder(document: Document) -> str:
    return str((document.get("status") or {}).get("servedBy") or "")


def _without_holder(document: Document) -> Document:
    status: Document = document.get("status") or {}
    return {name: value for name, value in status.items() if name != "servedBy"}
