"""Notices what has gone without an event: what a new list of a kind lacks.

Kopf lists a kind anew when the API server no longer has the history from where a watch broke off (410 Gone), and hands
over what is in the list, object by object; handlers hear nothing of what is not. The list itself passes through one
function of Kopf, which is wrapped here: there is no other place to see a list as a whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

from kopf._cogs.clients import fetching

Resource = tuple[str, str, str]
"""Group, version, plural."""
Name = tuple[str, str]
"""Namespace and name."""


@contextlib.contextmanager
def missing_noted(
    known: Callable[[Resource, str | None], set[Name]], lost: Callable[[Resource, set[Name]], None]
) -> Generator[None]:
    """While Kopf runs: what was `known` of a resource, in a namespace or in all, and is not in a list of it is `lost`.

    The list is of a time after `known` was asked, so whatever it lacks is gone.
    """
    plain: Any = fetching.fetch_objs  # a generator, though it is declared as less

    async def fetch(*, resource: Any, namespace: Any, **options: Any) -> AsyncIterator[tuple[Any, str]]:
        which = (str(resource.group), str(resource.version), str(resource.plural))
        missing = known(which, namespace)
        async with contextlib.aclosing(plain(resource=resource, namespace=namespace, **options)) as chunks:
            async for chunk, version in chunks:
                if missing:
                    missing -= {(each["metadata"].get("namespace", ""), each["metadata"]["name"]) for each in chunk}
                yield chunk, version
        if missing:
            lost(which, missing)

    fetching.fetch_objs = fetch
    try:
        yield
    finally:
        fetching.fetch_objs = plain
