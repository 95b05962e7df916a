"""The program `gptbot-operator`: Kopf watches, thin handlers put the bot's key into the queue, the reconciler works."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractContextManager
from typing import Any

import kopf
import structlog
import uvloop
from prometheus_client import start_http_server

from gptbot_api import API_GROUP, KIND
from gptbot_api.listening import any_address
from gptbot_operator import logs, metrics
from gptbot_operator.board import Board
from gptbot_operator.bounds import read_all_depths
from gptbot_operator.cancelling import quiet_closing
from gptbot_operator.cluster import ApiError, Cluster, Document
from gptbot_operator.desired.context import BOT_LABEL
from gptbot_operator.election import Election, LeaseLost
from gptbot_operator.forgetful import Forgetful, queueing
from gptbot_operator.health import healthz
from gptbot_operator.listing import Name, Resource, lists_noted
from gptbot_operator.reconcile import Reconciler
from gptbot_operator.settings import InvalidSettings, Settings
from gptbot_operator.starting_over import CRD, WatchError, start_over, until_served

_CHILDREN: dict[tuple[str, str, str], str] = {
    ("apps", "v1", "deployments"): "Deployment",
    ("autoscaling", "v2", "horizontalpodautoscalers"): "HorizontalPodAutoscaler",
    ("policy", "v1", "poddisruptionbudgets"): "PodDisruptionBudget",
    ("networking.k8s.io", "v1", "networkpolicies"): "NetworkPolicy",
    ("networking.k8s.io", "v1", "ingresses"): "Ingress",
    ("", "v1", "services"): "Service",
    ("", "v1", "serviceaccounts"): "ServiceAccount",
}
"""Watched by label. Secrets and ConfigMaps are not: those a bot refers to are the user's own.

Kinds that a cluster may lose (HTTPRoute, PodMonitor) are left to the resync: Kopf ends when what it watches is gone.
"""
_OTHERS_TOO = {("autoscaling", "v2", "horizontalpodautoscalers")}
"""Watched without a label: autoscalers of others may scale what is ours."""
_REFERRED: dict[tuple[str, str, str], str] = {
    ("", "v1", "secrets"): "Secret",
    ("", "v1", "configmaps"): "ConfigMap",
}
_WATCHED = {(API_GROUP, "v1alpha1", "gptbots"): KIND} | _CHILDREN | _REFERRED
_LISTED_AT_ONCE = 20
"""Objects in one answer to a list."""
_CRD_WAIT_SECONDS = 60
_STOP_SECONDS = 8
_WORKER_STOP_SECONDS = 2

Leave = Callable[[], Coroutine[Any, Any, None]]
"""What is to be done before the process ends at once."""

_log = structlog.get_logger("gptbot_operator")


def handlers(reconciler: Reconciler) -> kopf.OperatorRegistry:
    """Kopf's handlers. They note the event and say which bots need a look; none keeps a state in the cluster."""
    registry = kopf.OperatorRegistry()

    async def login(**kwargs: Any) -> Any:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    def noting(kind: str) -> Callable[..., Any]:
        async def event_of(event: Any, **_: Any) -> None:
            gone = event["type"] == "DELETED"
            metrics.EVENTS.labels(kind).inc()
            _look(reconciler, kind, reconciler.cache.event(gone, kind, event["object"]))

        return event_of

    on: Any = kopf.on
    on.login(registry=registry)(login)
    for (group, version, plural), kind in _WATCHED.items():
        on.event(group, version, plural, registry=registry, id=kind)(noting(kind))
    return registry


def _look(reconciler: Reconciler, kind: str, keys: Iterable[str]) -> None:
    """Have bots looked at, at once if they themselves have changed: an event of a child may be a look's own doing."""
    add = reconciler.queue.add if kind == KIND else reconciler.queue.nudge
    for key in keys:
        add(key)


def kopf_settings() -> kopf.OperatorSettings:
    """Kopf's settings: no peering, no events of its own, nothing watched that is not needed."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.chunk_size = _LISTED_AT_ONCE
    queueing(settings)
    for selector in _CHILDREN.keys() - _OTHERS_TOO:
        settings.watching.label_selectors[selector] = BOT_LABEL
    return settings


async def operate(settings: Settings) -> None:
    """Run until SIGTERM. Raises ApiError when the API server cannot be reached or has no GptBot CRD, and LeaseLost."""
    stop = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(quiet_closing)
    _heed_signals(stop)
    identity = f"{socket.gethostname()}-{secrets.token_hex(3)}"
    async with healthz(settings.health_port), Cluster.connect() as cluster:
        await _wait_for_crd(cluster)
        if not settings.lease:
            await _work(settings, cluster, stop, _nothing, Board())
        else:
            board = Board()
            election = Election(cluster, settings.lease, identity, settings.lease_seconds, settings.namespaces, board)
            await _lead(election, settings, cluster, stop, board)
    _log.info("stopped")


def _heed_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def _lead(election: Election, settings: Settings, cluster: Cluster, stop: asyncio.Event, board: Board) -> None:
    """Stand by until the Lease is won, then work. What must not go on without the Lease ends with the process."""
    try:
        if not await _unless(stop, election.win()):
            return
        working = asyncio.create_task(_work(settings, cluster, stop, election.give_back, board))
        holding = asyncio.create_task(election.hold())
        await asyncio.wait({working, holding}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():  # the Lease is lost; another works already
            working.cancel()
            await asyncio.wait({working}, timeout=_STOP_SECONDS)
            if not working.done():
                _log.error("ended without waiting for all watches", reason=str(holding.exception()))
                os._exit(1)
            await holding
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        await working
    finally:
        await election.give_back()


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work; False when it was stopped before it was done."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (working, stopping):
        task.cancel()
    await asyncio.gather(working, stopping, return_exceptions=True)
    if working.cancelled():
        return False
    await working
    return True


async def _work(settings: Settings, cluster: Cluster, stop: asyncio.Event, leave: Leave, board: Board) -> None:
    """Work until stopped. Without the CRD wait until it is there again, and begin anew."""
    ended: BaseExceptionGroup[WatchError] | None = None
    try:
        await _watch_and_reconcile(settings, cluster, stop, leave, board)
    except* WatchError as group:
        ended = group
    if ended is None:
        return
    _heed_signals(stop)  # Kopf's own handlers are in their place
    if await _unless(stop, until_served(cluster, ended)):
        await leave()
        start_over()


async def _watch_and_reconcile(
    settings: Settings, cluster: Cluster, stop: asyncio.Event, leave: Leave, board: Board
) -> None:
    reconciler = Reconciler(settings, cluster, socket.gethostname(), board)
    await reconciler.discovery.refresh()
    async with asyncio.TaskGroup() as tasks:
        worker = tasks.create_task(reconciler.run())
        _log.info("started", namespaces=settings.namespaces or "all")
        watching, idle = asyncio.Event(), asyncio.Event()
        stopping = tasks.create_task(_stop_in_time(stop, watching, worker, idle, leave))
        with _lists(reconciler):
            await kopf.operator(
                registry=handlers(reconciler),
                settings=kopf_settings(),
                memories=Forgetful(),
                standalone=True,
                clusterwide=not settings.namespaces,
                namespaces=settings.namespaces,
                stop_flag=idle,
                ready_flag=watching,
            )
        worker.cancel()
        stopping.cancel()


def _lists(reconciler: Reconciler) -> AbstractContextManager[None]:
    """Note what lists show, and have bots looked at that lost something while the watches were away."""

    def known(resource: Resource, namespace: str | None) -> set[Name] | None:
        kind = _WATCHED.get(resource)
        return None if kind is None else reconciler.cache.names(kind, namespace)

    def seen(resource: Resource, document: Document) -> None:
        kind = _WATCHED[resource]
        _look(reconciler, kind, reconciler.cache.event(False, kind, document, listed=True))

    def ended(resource: Resource, namespace: str | None, missing: set[Name]) -> None:
        kind = _WATCHED[resource]
        _look(reconciler, kind, reconciler.cache.listed(kind, namespace, missing))

    return lists_noted(known, seen, ended)


async def _stop_in_time(
    stop: asyncio.Event, watching: asyncio.Event, worker: asyncio.Task[None], idle: asyncio.Event, leave: Leave
) -> None:
    """On SIGTERM end the worker, then have Kopf stop, and leave without it when it does not.

    Kopf waits five seconds for tasks that began after it, whoever's they are: the worker's go first. On Python 3.11 a
    cancellation that meets a finished `asyncio.wait_for` is lost, and Kopf waits for that task for ever. There is
    nothing to lose: the operator keeps no state, and gives its Lease back.
    """
    await watching.wait()  # before, Kopf's own handlers are in place, which these replace
    _heed_signals(stop)
    await stop.wait()
    worker.cancel()
    await asyncio.wait({worker}, timeout=_WORKER_STOP_SECONDS)
    idle.set()
    await asyncio.sleep(_STOP_SECONDS - _WORKER_STOP_SECONDS)
    _log.warning("stopped without waiting for all watches")
    await leave()
    os._exit(0)


async def _nothing() -> None:
    """There is no Lease to give back."""


async def _wait_for_crd(cluster: Cluster) -> None:
    """Give an installation that is under way a minute to bring the CRD."""
    deadline = asyncio.get_running_loop().time() + _CRD_WAIT_SECONDS
    while not await cluster.serves(KIND):
        if asyncio.get_running_loop().time() >= deadline:
            raise ApiError(404, f"the CRD {CRD} is not installed; install it and start again")
        await asyncio.sleep(1)


def run() -> None:
    """Entry point. Exits with 1 and one line that says why when it cannot work."""
    try:
        settings = Settings.from_environment(os.environ)
    except InvalidSettings as error:
        sys.exit(f"gptbot-operator: {error}")
    logs.configure(settings.log_level)
    read_all_depths()
    start_http_server(settings.metrics_port, any_address())
    try:
        uvloop.run(operate(settings))
    except (ApiError, LeaseLost) as error:
        sys.exit(f"gptbot-operator: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
