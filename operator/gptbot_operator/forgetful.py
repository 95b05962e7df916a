"""Keeps Kopf from remembering every object it has shown us: the cache of watches knows all that is needed, in less."""

from __future__ import annotations

from typing import Any

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory  # no public name; `kopf.operator` takes it


class Forgetful(ResourceMemories):
    """Memories that end with their event. Kopf needs them for daemons, timers, indices and handlers of changes.

    There are none of those here, and the memories of one bot's children would take more than the rest of it does.
    """

    async def recall(self, *arguments: Any, **options: Any) -> ResourceMemory:
        """A new memory for each event."""
        return await super().recall(*arguments, **options | {"ephemeral": True})


def queueing(settings: kopf.OperatorSettings) -> None:
    """Have Kopf's workers, one an object, go as soon as they have nothing to do, and be only so many.

    By default each stays for five seconds after its event: with the first list they would be as many as the objects.
    """
    settings.queueing.idle_timeout = 0.01
    settings.queueing.worker_limit = 100
