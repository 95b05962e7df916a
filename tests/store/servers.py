"""Real Valkey servers as processes: alone, with sentinels, as a cluster; and TLS in front of one."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gptbot.embedded.valkey import find_binary
from gptbot.inbox.wire import StoreUnavailable, Wire
from gptbot_api.store_url import StoreUrl
from tests.ports import free_port

Address = tuple[str, int]


class Server:
    """A Valkey process that is configured, started, killed and started again. It forgets its data."""

    def __init__(self, directory: Path, *config: str, sentinel: bool = False) -> None:
        self.port = free_port()
        self.directory = directory / str(self.port)
        self.directory.mkdir(parents=True)
        self._file = self.directory / "valkey.conf"
        lines = ["bind 127.0.0.1", f"port {self.port}", f"dir {self.directory}", "loglevel warning", *config]
        self._file.write_text("\n".join([*lines, *([] if sentinel else ['save ""', "repl-diskless-sync-delay 0"]), ""]))
        self._flags = ["--sentinel"] if sentinel else []
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> Address:
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def cpu_seconds(self) -> float:
        """What its commands have taken of a CPU, whoever else wanted it: the time of its first thread."""
        assert self._process is not None
        times = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/schedstat").read_text()
        return int(times.split()[0]) / 1e9

    async def start(self) -> None:
        with (self.directory / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(find_binary()), str(self._file), *self._flags, stdout=log, stderr=log
            )
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(StoreUnavailable):
                    await self.ask("PING")
                    return
                assert self._process.returncode is None, (self.directory / "log").read_text()
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def ask(self, *args: Any) -> Any:
        """One command on a connection of its own."""
        async with asyncio.timeout(10):
            wire = await Wire.open(StoreUrl.parse(self.url), self.address, None, login=False)
            try:
                return await wire.ask(*args)
            finally:
                wire.abort()

    async def until(self, part: bytes, *args: Any) -> None:
        """Wait until a command's reply holds something."""
        async with asyncio.timeout(60):
            while part not in repr(await self.ask(*args)).encode():
                await asyncio.sleep(0.05)


@asynccontextmanager
async def cluster(directory: Path, *config: Sequence[str]) -> AsyncGenerator[list[Server]]:
    """Three primaries that share the slots, and a fourth server without any; `config`: further lines of each."""
    servers = [
        Server(
            directory, "cluster-enabled yes", f"cluster-port {free_port()}", "cluster-node-timeout 1000",
            "cluster-require-full-coverage no", "cluster-replica-validity-factor 0", *further,
        )
        for further in config or ((),) * 4
    ]  # fmt: skip
    async with contextlib.AsyncExitStack() as stack:
        for server in servers:
            await stack.enter_async_context(server)
        for number, server in enumerate(servers[:3]):
            await server.ask("CLUSTER", "ADDSLOTSRANGE", number * 5461, 16383 if number == 2 else number * 5461 + 5460)
        for server in servers[1:]:
            bus = (server.directory / "valkey.conf").read_text().partition("cluster-port ")[2].split()[0]
            await servers[0].ask("CLUSTER", "MEET", *server.address, bus)
        for server in servers:
            await server.until(b"cluster_known_nodes:4", "CLUSTER", "INFO")
            await server.until(b"cluster_slots_ok:16384", "CLUSTER", "INFO")
            await server.until(b"cluster_state:ok", "CLUSTER", "INFO")
        yield servers


def certificate(directory: Path, host: str = "") -> tuple[Path, Path]:
    """A self-signed certificate for a host, else for 127.0.0.1, and its key."""
    names = [x509.DNSName(host) if host else x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = directory / "store.crt", directory / "store.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return public, private


_TLS_HANDSHAKE = b"\x16"
"""What a connection begins with that speaks TLS: the type of a record, https://www.rfc-editor.org/rfc/rfc8446#section-5.1"""


@asynccontextmanager
async def tls_in_front(of: Address, public: Path, private: Path, *, clients: bool = False) -> AsyncGenerator[int]:
    """TLS that ends here and goes on to a server without it; the port. `clients`: they need that certificate too."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(public)
    async with _forwarded(lambda _: of, context) as port:
        yield port


@asynccontextmanager
async def tls_beside_plain(of: Address, public: Path, private: Path, port: int) -> AsyncGenerator[None]:
    """A port that takes both: servers reach each other there, which have no TLS here, and clients with it."""
    async with (
        tls_in_front(of, public, private) as inner,
        _forwarded(lambda first: ("127.0.0.1", inner) if first == _TLS_HANDSHAKE else of, None, port),
    ):
        yield


@asynccontextmanager
async def _forwarded(
    to: Callable[[bytes], Address], context: ssl.SSLContext | None, port: int = 0
) -> AsyncGenerator[int]:
    """Connections go on to where their first byte says; the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.read(1)
            server_reader, server_writer = await asyncio.open_connection(*to(first))
        except OSError:
            writer.close()
            return
        server_writer.write(first)
        for pair in ((reader, server_writer), (server_reader, writer)):
            task = asyncio.create_task(copy(*pair))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
