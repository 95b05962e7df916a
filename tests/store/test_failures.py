"""What can go wrong with a store: each is named alike by the bot and the operator, and work goes on when it is over."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from gptbot.inbox.claims import TurnLost
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.process import measure
from gptbot.telemetry import metrics
from gptbot_operator.store import StoreReader
from tests.store.servers import Server, certificate, cluster, tls_in_front

BOT = "test/failures"


class Worked:
    """A gateway and a worker in one: each turn is a message enqueued, claimed, answered and done."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.store = Store.connect(url, BOT)
        self.mailbox = Mailbox(self.store, BotKeys(BOT, b"p" * 32), "worker", lease=0.5)

    async def turn(self) -> None:
        """One turn, however often the store must be waited for."""
        event = uuid.uuid4().hex
        envelope = Envelope(
            event=event, platform="test", user="u", text="Hello", address={}, direct=True, received=time.time()
        )
        async with asyncio.timeout(60):
            while True:
                try:
                    await self.mailbox.create_group()
                    await self.mailbox.enqueue(event, envelope)
                    if await self._answer(event):
                        return
                except StoreUnavailable:
                    await self.store.wait_available()

    async def _answer(self, event: str) -> bool:
        entries = await self.mailbox.receive(10, 0.2) + await self.mailbox.take_over(10)
        answered = False
        for entry in entries:
            claim = await self.mailbox.claim(entry)
            if claim is None:
                continue
            with contextlib.suppress(TurnLost):  # on a slow machine the lease may be over: the turn comes again
                await self.mailbox.begin(claim)
                await self.mailbox.replied(claim, "Hi")
                await self.mailbox.done(claim, [b"Hello", b"Hi"], 60, 10)
                answered = answered or claim.conversation == event
        # Done, perhaps, before the store failed: then nothing of it is left.
        return answered or await self.store.command("EXISTS", self.mailbox.keys.mail(event)) == 0

    async def named(self, reason: str, text: str) -> None:
        """Wait until the bot says what is wrong, and see that the operator says so too."""
        async with asyncio.timeout(30):
            while await self.store.check() or text not in (self.store.trouble or ""):
                await asyncio.sleep(0.05)
        await self.operator_sees(reason, text)

    async def operator_sees(self, reason: str, text: str = "") -> None:
        reader = StoreReader(max_age=0)
        try:
            async with asyncio.timeout(30):
                while (reading := await reader.read(self.url, BOT)).reason != reason:
                    await asyncio.sleep(0.1)
            assert text in reading.message
        finally:
            await reader.close()

    async def works(self) -> None:
        await self.turn()
        assert await self.store.check()
        assert self.store.trouble is None
        await self.operator_sees("Reachable")


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with Server(tmp_path) as started:
        yield started


@pytest_asyncio.fixture
async def worked(server: Server) -> AsyncIterator[Worked]:
    made = Worked(server.url)
    await made.works()
    yield made
    await made.store.close()


async def test_restart(server: Server, worked: Worked) -> None:
    await server.kill()
    await worked.named("Unreachable", "cannot be reached")
    await server.start()
    await worked.works()


async def test_full_memory(server: Server, worked: Worked) -> None:
    await server.ask("CONFIG", "SET", "maxmemory", "1")
    await worked.named("MemoryFull", "no memory left; raise its maxmemory")
    measure([worked.store])
    assert (gauge("gptbot_store_up"), gauge("gptbot_store_full")) == (0, 1)
    await server.ask("CONFIG", "SET", "maxmemory", "0")
    await worked.works()
    measure([worked.store])
    assert (gauge("gptbot_store_up"), gauge("gptbot_store_full")) == (1, 0)


def gauge(name: str) -> float | None:
    """What Prometheus would read."""
    return metrics.REGISTRY_OF_PROCESS.get_sample_value(name)


async def test_password_set_and_taken_away(server: Server, worked: Worked) -> None:
    await server.ask("CONFIG", "SET", "requirepass", "hunter2")
    wrong = Worked(f"redis://:hunter3@127.0.0.1:{server.port}/0")
    try:
        await wrong.named("PasswordRefused", "refuses the password")
        assert "hunter" not in str(wrong.store.trouble)
    finally:
        await wrong.store.close()
    right = Worked(f"redis://:hunter2@127.0.0.1:{server.port}/0")
    try:
        await right.works()
    finally:
        await right.store.close()
    without = Worked(server.url)
    try:
        await without.named("PasswordMissing", "wants a password")
    finally:
        await without.store.close()


async def test_replica_promoted_by_hand(server: Server, worked: Worked, tmp_path: Path) -> None:
    async with Server(tmp_path) as primary:
        await server.ask("REPLICAOF", *primary.address)
        await worked.named("ReadOnly", "read-only replica; point the URL at the primary")
        await server.ask("REPLICAOF", "NO", "ONE")
        await worked.works()


async def test_failover_by_sentinel(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        primary = await stack.enter_async_context(Server(tmp_path))
        replica = await stack.enter_async_context(Server(tmp_path, f"replicaof 127.0.0.1 {primary.port}"))
        watch = [
            f"sentinel monitor bots 127.0.0.1 {primary.port} 1",
            "sentinel down-after-milliseconds bots 500",
            "sentinel failover-timeout bots 3000",
        ]
        sentinel = await stack.enter_async_context(Server(tmp_path, *watch, sentinel=True))
        await replica.until(b"master_link_status:up", "INFO", "replication")
        await sentinel.until(str(replica.port).encode(), "SENTINEL", "REPLICAS", "bots")
        # A sentinel that is away is passed over.
        worked = Worked(f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/bots/0")
        stack.push_async_callback(worked.store.close)
        await worked.works()
        await primary.kill()
        await worked.works()
        assert await replica.ask("EXISTS", f"{{{BOT}}}:runnable") == 1
        await sentinel.ask("SENTINEL", "REMOVE", "bots")
        await replica.kill()
        await worked.named("NoPrimary", "no primary that its sentinels name")


async def test_cluster_moves_the_slot_and_fails_over(tmp_path: Path) -> None:
    async with cluster(tmp_path) as servers:
        spare = servers[3]
        worked = Worked(f"redis+cluster://127.0.0.1:1,127.0.0.1:{servers[0].port},127.0.0.1:{servers[1].port}")
        try:
            await worked.works()
            slot = await servers[0].ask("CLUSTER", "KEYSLOT", f"{{{BOT}}}:x")
            owner = servers[min(slot // 5461, 2)]
            other = next(each for each in servers[:3] if each is not owner)

            # The URL of one server of a cluster is not enough, and that is said.
            plain = Worked(other.url)
            await plain.named("IsCluster", "is a cluster; write its URL as redis+cluster://")
            await plain.store.close()

            to = (await other.ask("CLUSTER", "MYID")).decode()
            await owner.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", to)
            async with asyncio.timeout(30):
                while await other.ask("CLUSTER", "COUNTKEYSINSLOT", slot) == 0:
                    await worked.turn()
            await worked.works()
            assert await owner.ask("CLUSTER", "COUNTKEYSINSLOT", slot) == 0

            await spare.ask("CLUSTER", "REPLICATE", to)
            await spare.until(b"master_link_status:up", "INFO", "replication")
            await other.kill()
            await worked.works()
            assert await spare.ask("CLUSTER", "COUNTKEYSINSLOT", slot) > 0

            await spare.kill()
            async with asyncio.timeout(30):
                while await worked.store.check() or "slots that nobody serves" not in str(worked.store.trouble):
                    await asyncio.sleep(0.05)
            await worked.operator_sees("ClusterDown")
        finally:
            await worked.store.close()


async def test_no_cluster_where_the_url_says_one(server: Server) -> None:
    worked = Worked(f"redis+cluster://127.0.0.1:{server.port}")
    try:
        await worked.named("NoCluster", "is no cluster; write its URL as redis://")
    finally:
        await worked.store.close()


async def test_tls(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public, private = certificate(tmp_path)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(tls_in_front(server.address, public, private))
        url = f"rediss://127.0.0.1:{port}/0"

        def worked(text: str) -> Worked:
            made = Worked(text)
            stack.push_async_callback(made.store.close)
            return made

        await worked(url).named("CertificateRefused", "certificate that is not trusted")
        await worked(f"rediss://localhost:{port}/0?ssl_ca_certs={public}").named("CertificateRefused", "not trusted")
        without = worked(f"rediss://127.0.0.1:{server.port}/0")
        with pytest.raises(StoreUnavailable, match="does not speak TLS"):
            await without.store.command("PING")
        trusting = worked(f"{url}?ssl_ca_certs={public}")
        await trusting.works()
        await server.kill()
        await trusting.named("Unreachable", "cannot be reached")
        await server.start()
        await trusting.works()
        await worked(f"{url}?ssl_ca_data={quote(public.read_text())}").works()
        await worked(f"rediss://localhost:{port}/0?ssl_ca_certs={public}&ssl_check_hostname=false").works()
        monkeypatch.setenv("GPTBOT_STORE_CA", str(public))
        await worked(url).turn()  # the operator has its own for the shared store, which go into that one's URL
    with pytest.raises(ValueError, match="certificate of the store cannot be used"):
        Store.connect(f"{url}?ssl_ca_certs={tmp_path / 'missing.crt'}")
