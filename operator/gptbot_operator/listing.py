"""Lists of a kind, as a watch begins with one: what is in it is noted chunk by chunk, and what it lacks is gone.

Kopf hands over what is in a list object by object, and says nothing of what is not. It lists anew when the API server
no longer has the history from where a watch broke off (410 Gone): what was deleted meanwhile would stay for ever. And
as it starts a task an object, all objects of a fleet are in memory at once. Lists pass through one function of Kopf,
which is wrapped here: there is no other place to see one as a whole.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

from kopf._cogs.clients import fetching

from gptbot_operator.cluster import Document

Resource = tuple[str, str, str]
"""Group, version, plural."""
Name = tuple[str, str]
"""Namespace and name."""


@contextlib.contextmanager
def lists_noted(
    known: Callable[[Resource, str | None], set[Name] | None],
    seen: Callable[[Resource, Document], None],
    ended: Callable[[Resource, str | None, set[Name]], None],
) -> Generator[None]:
    """While Kopf runs: objects in a list are `seen`, and Kopf itself gets none of them.

    A list that has `ended`, of a resource in a namespace or in all, comes with what was `known` and is not in it. That
    is gone, as the list is of a time after `known` was asked. Of resources that `known` does not know (None), Kopf gets
    the lists as they are.
    """
    plain: Any = fetching.fetch_objs  # a generator, though it is declared as less
    turn = asyncio.Lock()

    async def fetch(*, resource: Any, namespace: Any, **options: Any) -> AsyncIterator[tuple[Any, str]]:
        which = (str(resource.group), str(resource.version), str(resource.plural))
        missing = known(which, namespace)
        async with contextlib.aclosing(plain(resource=resource, namespace=namespace, **options)) as chunks:
            if missing is None:
                async for chunk, version in chunks:
                    yield chunk, version
                return

            async def note_chunk() -> tuple[list[Any], str] | None:
                """What Kopf gets in place of the next chunk; None after the last."""
                async with turn:  # one chunk at a time, of all kinds
                    if (found := await anext(chunks, None)) is None:
                        return None
                    chunk, version = found
                    for document in chunk:
                        missing.discard((document["metadata"].get("namespace", ""), document["metadata"]["name"]))
                        seen(which, document)
                    return [], version

            while (nothing := await note_chunk()) is not None:
                yield nothing
        ended(which, namespace, missing)

    fetching.fetch_objs = fetch
    try:
        yield
    finally:
        fetching.fetch_objs = plain
