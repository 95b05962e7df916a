"""A look that ends with an error nobody foresaw is told in the bot's status, without the error's text."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from gptbot_operator.cluster import ApiError, Cluster
from gptbot_operator.memory import Memory
from gptbot_operator.reconcile import Reconciler
from gptbot_operator.settings import Settings
from gptbot_operator.status import CONDITIONS
from tests.unit.bots import bot

Document = dict[str, Any]
KEY = "store/telegram-only"
ANSWERING = [
    {"type": name, "status": "True", "reason": "Fine", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    for name in CONDITIONS
]
FORBIDDEN = ApiError(403, 'pods is forbidden: User "operator" cannot list resource "pods"')


class Answers:
    """An API server that takes every status, or refuses it."""

    identity = "cluster"

    def __init__(self, refusal: Exception | None) -> None:
        self.refusal = refusal
        self.asked = 0
        self.written: list[Document] = []

    async def apply(self, manifest: Document, **_: Any) -> Document:
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        self.written.append(manifest["status"])
        return manifest

    async def create(self, _: Document) -> None:
        """Take an Event."""


async def _look(error: Exception, served_by: str = "", refusal: Exception | None = None) -> Answers:
    """What is asked of the API server when a look at a bot ends with an error."""
    api = Answers(refusal)
    reconciler = Reconciler(Settings(image="gptbot:test"), cast(Cluster, api), "test")
    made = bot("telegram-only")
    metadata = {"namespace": "store", "name": "telegram-only", "uid": made.metadata.uid, "generation": 3}
    reconciler.cache.bots[KEY] = {
        "apiVersion": "gptbot.dev/v1alpha1", "metadata": metadata | {"resourceVersion": "7"},
        "status": {"conditions": ANSWERING, "observedGeneration": 2, "backlog": 4}
        | ({"servedBy": served_by} if served_by else {}),
    }  # fmt: skip
    seen = asyncio.Event()

    async def fails(key: str) -> bool:
        reconciler._memory.setdefault(key, Memory())
        raise error

    reconciler.reconcile = fails
    done = reconciler.queue.done

    def over(key: str) -> None:
        done(key)
        seen.set()

    reconciler.queue.done = over
    reconciler.queue.add(KEY)
    working = asyncio.create_task(reconciler._work())
    await asyncio.wait_for(seen.wait(), 10)
    assert not working.done(), "one bot's look ends nothing"
    working.cancel()
    return api


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyError("sk-secret"), "the operator failed with KeyError"),
        (RecursionError("sk-secret"), "the operator failed with RecursionError"),
        (TimeoutError(), "takes the operator too long"),
        (FORBIDDEN, 'the API server refuses the operator what it needs: pods is forbidden: User "operator"'),
    ],
)
async def test_an_error_of_a_look_is_told_in_the_status(error: Exception, told: str) -> None:
    (status,) = (await _look(error)).written
    ready, *others = status["conditions"]
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "Unknown", "OperatorError")
    assert told in ready["message"]
    assert "sk-secret" not in str(status)
    assert {each["reason"] for each in others} == {"Fine"}, "the rest stays as it was"
    assert (status["observedGeneration"], status["backlog"]) == (2, 4)


@pytest.mark.parametrize("status", [0, 404, 409, 429, 500, 503])
async def test_a_refusal_that_passes_is_not_told(status: int) -> None:
    assert not (await _look(ApiError(status, "not now"))).asked


async def test_nothing_is_written_to_a_bot_of_another_installation() -> None:
    assert not (await _look(KeyError("x"), served_by="other/operator")).asked


@pytest.mark.parametrize("refusal", [FORBIDDEN, KeyError("x"), TimeoutError()])
async def test_a_status_that_cannot_be_written_ends_no_look(refusal: Exception) -> None:
    api = await _look(KeyError("x"), refusal=refusal)
    assert (api.asked, api.written) == (1, [])
