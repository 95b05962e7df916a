"""Stores over TLS that bots share: the operator is given the authorities, the bots get them with their logins."""

from __future__ import annotations

import gc
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from redis.crc import key_slot

from gptbot_api.store_rights import user_name
from gptbot_api.store_url import StoreUrl
from gptbot_operator.settings import InvalidSettings, Settings
from gptbot_operator.store import StoreReader
from tests.ports import free_port
from tests.store.servers import Server, certificate, cluster, tls_beside_plain, tls_in_front
from tests.store.test_tenants import NEEDED, Operator, until, users, works

PASSWORD = "s3cret/+?"


def trusting(url: str, authorities: Path) -> str:
    """What the operator makes of its environment."""
    made = Settings.from_environment(
        {"GPTBOT_IMAGE": "x", "GPTBOT_STORE_URL": url, "GPTBOT_STORE_CA": str(authorities)}
    )
    assert made.store_url is not None
    return made.store_url


def _open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


async def _login(operator: Operator, bot: str) -> str:
    """The URL that a bot gets, once it is let in."""
    url = (await operator.look(bot)).url or ""

    async def let_in() -> bool:
        return await works(url, bot)

    await until(let_in)
    return url


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Path, Path]:
    return certificate(tmp_path)


async def test_a_cluster(tmp_path: Path, tls: tuple[Path, Path]) -> None:
    ports = [free_port() for _ in range(4)]
    async with AsyncExitStack() as stack:
        # Servers send clients to the port with TLS.
        servers = await stack.enter_async_context(cluster(tmp_path, *([f"cluster-announce-port {p}"] for p in ports)))
        for server, port in zip(servers, ports, strict=True):
            await stack.enter_async_context(tls_beside_plain(server.address, *tls, port))
            await server.ask("ACL", "SETUSER", "operator", "on", "~*", *NEEDED, "+cluster", "resetpass", f">{PASSWORD}")
        url = f"rediss+cluster://operator:s3cret%2F%2B%3F@127.0.0.1:{ports[0]}"
        bots = [f"test/b{number}" for number in range(12)]
        assert len({key_slot(bot.encode()) // 5461 for bot in bots}) == 3
        async with Operator(trusting(url, tls[0])).running() as operator:
            urls = {bot: await _login(operator, bot) for bot in bots}
            assert not await works(url, "test/b0"), "without the authorities"
            assert not await works(urls["test/b0"], "test/b1"), "another bot's keys"
            assert all(PASSWORD not in each and "operator" not in each for each in urls.values())


async def test_the_primary_that_sentinel_names(tmp_path: Path, tls: tuple[Path, Path]) -> None:
    primary_port, replica_port, sentinel_port = (free_port() for _ in range(3))
    user = f"user operator on >{PASSWORD} ~* {' '.join(NEEDED)}"
    primary = Server(tmp_path, user, f"replica-announce-port {primary_port}")
    replica = Server(tmp_path, user, f"replica-announce-port {replica_port}", f"replicaof 127.0.0.1 {primary_port}")
    sentinel = Server(
        tmp_path, f"sentinel monitor shop 127.0.0.1 {primary_port} 1", "sentinel down-after-milliseconds shop 500",
        "sentinel failover-timeout shop 2000", sentinel=True,
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        for server, port in ((primary, primary_port), (replica, replica_port), (sentinel, sentinel_port)):
            await stack.enter_async_context(tls_beside_plain(server.address, *tls, port))
        await stack.enter_async_context(primary)
        await stack.enter_async_context(replica)
        await stack.enter_async_context(sentinel)
        await sentinel.until(f"'{replica_port}'".encode(), "SENTINEL", "REPLICAS", "shop")
        url = f"rediss+sentinel://operator:s3cret%2F%2B%3F@127.0.0.1:{sentinel_port}/shop/0"
        async with Operator(trusting(url, tls[0])).running() as operator:
            login = await _login(operator, "test/a")
            assert not await works(url, "test/a"), "without the authorities"

            async def on_replica() -> bool:
                return user_name("test/a") in await users(replica)

            await until(on_replica)
            await primary.kill()
            await sentinel.until(str(replica_port).encode(), "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop")

            async def goes_on() -> bool:
                return await works(login, "test/a")

            await until(goes_on)


async def test_the_url_of_a_bots_own_store_holds_all_that_bot_and_operator_need(
    tmp_path: Path, tls: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    authorities, pair = (quote(text) for text in (tls[0].read_text(), tls[0].read_text() + tls[1].read_text()))

    async def reached(url: str) -> tuple[bool, str]:
        """By the bot, and what the operator says of it."""
        reader = StoreReader(max_age=0)
        try:
            return await works(url, "test/a"), (await reader.read(url, "test/a")).reason
        finally:
            await reader.close()

    async with (
        Server(tmp_path) as server,
        tls_in_front(server.address, *tls, clients=True) as port,
        tls_in_front(server.address, *tls) as anybody,
    ):
        url = f"rediss://127.0.0.1:{port}/0"
        files = _open_files()
        assert await reached(f"{url}?ssl_ca_data={authorities}&ssl_cert_data={pair}") == (True, "Reachable")
        gc.collect()
        assert _open_files() <= files, "no key stays in memory"
        assert not (await reached(f"{url}?ssl_ca_data={authorities}"))[0], "without a certificate of the client"
        # What the operator alone trusts says nothing of what the bot's pods do.
        monkeypatch.setenv("GPTBOT_STORE_CA", str(tls[0]))
        reader = StoreReader(max_age=0)
        assert (await reader.read(f"rediss://127.0.0.1:{anybody}/0", "test/a")).reason == "CertificateRefused"
        await reader.close()
    with pytest.raises(ValueError, match=r"cannot be used .*the key that goes with it"):
        StoreUrl.parse(f"{url}?ssl_cert_data={authorities}").ssl_context()


def test_what_the_url_says_of_trust_stays(tmp_path: Path, tls: tuple[Path, Path]) -> None:
    for url in (
        "redis://host/0", "rediss://host/0?ssl_ca_certs=/mine", "rediss+sentinel://host/shop/0?ssl_ca_data=MINE",
        "rediss://:p[w@host/0", "nonsense",
    ):  # fmt: skip
        assert trusting(url, tls[0]) == url
    assert trusting("rediss://host/0?ssl_check_hostname=false", tls[0]).startswith(
        "rediss://host/0?ssl_check_hostname=false&ssl_ca_data=-----BEGIN%20CERTIFICATE"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [(None, "cannot be read: No such file"), ("hello", "holds no certificate"), ("", "holds no certificate")],
)
def test_authorities_that_are_none(tmp_path: Path, text: str | None, fault: str) -> None:
    if text is not None:
        (tmp_path / "ca.crt").write_text(text)
    with pytest.raises(InvalidSettings, match=f"^GPTBOT_STORE_CA: .*ca.crt {fault}"):
        trusting("rediss://host/0", tmp_path / "ca.crt")


def test_too_many_authorities(tmp_path: Path, tls: tuple[Path, Path]) -> None:
    (tmp_path / "ca.crt").write_text(tls[0].read_text() * 200)
    with pytest.raises(InvalidSettings, match="has more than 64 KiB"):
        trusting("rediss://host/0", tmp_path / "ca.crt")
