"""A client for each kind of store's URL, and the name of what is wrong with a store."""

from __future__ import annotations

import os
import weakref
from typing import Any, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ClusterDownError, RedisClusterException, SlotNotCoveredError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gptbot_api.store_faults import (
    NO_CLUSTER,
    NO_OWNER,
    NO_PRIMARY,
    SILENT,
    UNREACHABLE,
    StoreFault,
    fault_of_failure,
    fault_of_reply,
)
from gptbot_api.store_url import Address, StoreUrl, memory_file, path_of
from gptbot_operator.bounded import Bounds

_ONCE: dict[str, Any] = {"max_connections": 8, "retry": None}


def open_client(text: str, timeout: float, bounds: Bounds | None = None) -> Any:
    """A client of redis-py for a URL; nothing is sent yet. Raises ValueError when the URL is none, with the reason.

    `bounds`: how much a store may answer that is not to be trusted.
    """
    url = StoreUrl.parse(text)
    url.ssl_context()  # redis-py would call a file that is not there an unreachable store
    match url.kind:
        case "socket":
            return open_server(url, None, timeout, bounds)
        case "server":
            return open_server(url, url.addresses[0], timeout, bounds)
        case "sentinel":
            found = open_sentinels(url, timeout, bounds).master_for(url.service, db=url.database, **_ONCE)
            return _bound(found, bounds)
        case "cluster":
            return _open_cluster(url, timeout, bounds)


def _open_cluster(url: StoreUrl, timeout: float, bounds: Bounds | None) -> Any:
    nodes = [ClusterNode(host, port) for host, port in url.addresses]
    client = cast(Any, RedisCluster)(
        startup_nodes=nodes, require_full_coverage=False, retry=Retry(NoBackoff(), 1), **_common(url, timeout),
        **_protocol(bounds),
    )  # fmt: skip
    if bounds is not None:  # the servers named have a copy of what those get that are found
        manager = client.nodes_manager
        for holder in (client, manager, *manager.startup_nodes.values()):
            holder.connection_kwargs["parser_class"] = bounds.parser
    return client


def open_server(url: StoreUrl, address: Address | None, timeout: float, bounds: Bounds | None = None) -> Any:
    """A client of one server of a store, with the URL's login; None: the one behind the URL's socket.

    `bounds`: how much it may answer, where that is not to be trusted.
    """
    place: dict[str, Any] = {"host": address[0], "port": address[1]} if address else {"unix_socket_path": url.path}
    options = {**place, **_ONCE, **_common(url, timeout), **_protocol(bounds)}
    return _bound(cast(Any, Redis)(db=url.database, **options), bounds)


def open_sentinels(url: StoreUrl, timeout: float, bounds: Bounds | None = None) -> Any:
    """A client of the sentinels that a URL names."""
    login = {
        "username": url.options.get("sentinel_username"), "password": url.options.get("sentinel_password"),
        "socket_timeout": timeout / 2, "socket_connect_timeout": timeout / 2, "retry": None, **_tls(url),
        **_protocol(bounds),
    }  # fmt: skip
    found: Any = cast(Any, Sentinel)(
        list(url.addresses), sentinel_kwargs=login, **_common(url, timeout), **_protocol(bounds)
    )
    for sentinel in found.sentinels:
        _bound(sentinel, bounds)
    return found


def _protocol(bounds: Bounds | None) -> dict[str, Any]:
    return {} if bounds is None else {"protocol": 2}


def _bound(client: Any, bounds: Bounds | None) -> Any:
    if bounds is not None:
        client.connection_pool.connection_kwargs["parser_class"] = bounds.parser
    return client


def _common(url: StoreUrl, timeout: float) -> dict[str, Any]:
    return {
        "username": url.username, "password": url.password, "socket_timeout": timeout,
        "socket_connect_timeout": timeout, **_tls(url),
    }  # fmt: skip


def _tls(url: StoreUrl) -> dict[str, Any]:
    if not url.tls:
        return {}
    options: dict[str, Any] = dict(url.options)
    if pem := options.pop("ssl_cert_data", None):
        options["ssl_certfile"] = _Certificate(pem)
    context = url.ssl_context()
    options["ssl_check_hostname"] = context is not None and context.check_hostname
    return {"ssl": True} | {name: value for name, value in options.items() if name.startswith("ssl_")}


class _Certificate(str):
    """Path of a certificate and key, read by redis-py at each connection; the file goes with the last who knows it."""

    __slots__ = ("__weakref__",)

    def __new__(cls, pem: str) -> _Certificate:
        descriptor = memory_file(pem)
        path = super().__new__(cls, path_of(descriptor))
        weakref.finalize(path, os.close, descriptor)
        return path


def fault_of(error: BaseException, client: Any) -> StoreFault:
    """What a failure of redis-py says of the store."""
    fault = _fault_of(error)
    if (
        fault in (UNREACHABLE, SILENT)
        and isinstance(client, RedisCluster)
        and cast(Any, client).nodes_manager.slots_cache
    ):
        return NO_OWNER  # other servers of the cluster answered
    return fault


def _fault_of(error: BaseException) -> StoreFault:
    """Its exceptions wrap each other, so the causes are looked at too."""
    wrapped: BaseException | None = error
    while wrapped is not None:
        code = getattr(wrapped, "status_code", None)
        if fault := fault_of_reply(f"{code} {wrapped}" if code else str(wrapped)) or fault_of_failure(wrapped):
            return fault
        if isinstance(wrapped, MasterNotFoundError):
            return NO_PRIMARY
        if isinstance(wrapped, SlotNotCoveredError | ClusterDownError):
            return NO_OWNER
        if isinstance(wrapped, RedisTimeoutError):
            return SILENT
        wrapped = wrapped.__cause__ or wrapped.__context__
    # redis-py tells of a server without slots by text alone.
    return NO_CLUSTER if isinstance(error, RedisClusterException) and "luster mode" in str(error) else UNREACHABLE
