"""A model of our own for bots whose manifest asks for it, served by llama.cpp: SmolLM2 135M, or any file in its format.

`serve_model` is the server, an OpenAI-compatible one; `EmbeddedModel` runs it in a child process.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import json
import logging
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gptbot.embedded.child import ChildServer, free_port
from gptbot.embedded.cpus import available_cpus
from gptbot.embedded.errors import EmbeddedError
from gptbot.embedded.file import MODEL, ModelFile, find_model
from gptbot.embedded.window import CONTEXT_WINDOW
from gptbot_api.listening import EVERYWHERE, any_address

MAX_TOKENS = 256
"""Tokens of an answer at most, where a request does not say: a model this small may not find an end."""
MAX_TOKENS_OF_FILE = 1024
"""The same for a model of an owner's own file."""
_PROMPT_CACHE_MIB = 128
_PORT_TRIES = 5
_DRAIN = 20.0  # seconds for answers under way when it is to stop

logger = logging.getLogger(__name__)


class EmbeddedModel:
    """The model's server in a child process, for as long as the context is entered.

    In a process of its own its threads and its crashes stay away from the bot; should it die, it is started again with
    the same address. Raises EmbeddedError when it cannot be started.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        parallel: int = 4,
        threads: int = 0,
        file: ModelFile | None = None,
        window: int = CONTEXT_WINDOW,
        start_timeout: float | None = None,
    ) -> None:
        """`parallel`: answers at the same time; further requests wait. `threads`: 0 for one each CPU.

        `file`: instead of the model that comes along. `window`: tokens of each answer and its prompt. `start_timeout`:
        seconds, 120 for the model that comes along and 900 for a file, which may be large and is checked first.
        """
        self._host = host
        self._port = port
        self._chosen = port != 0
        self._parallel = parallel
        self._threads = threads
        self._file = file
        self.context_window = window
        """Tokens each answer has for its prompt and itself."""
        self._start_timeout = start_timeout or (120.0 if file is None else 900.0)
        self._child: ChildServer | None = None

    @property
    def base_url(self) -> str:
        """What `spec.llm.baseUrl` would be."""
        return f"http://{self._host}:{self._port}/v1"

    @property
    def model(self) -> str:
        """Its name in requests."""
        return MODEL if self._file is None else self._file.name

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        return None if self._child is None else self._child.pid

    async def wait(self) -> None:
        """Wait until the server has died for good, and raise EmbeddedError then; returns once the context is left."""
        if self._child is None:
            raise RuntimeError("the embedded model was not started")
        await self._child.wait()

    async def __aenter__(self) -> Self:
        find_model() if self._file is None else self._file.find()  # says what is missing better than a dead child would
        tries = 1 if self._chosen else _PORT_TRIES
        while True:
            tries -= 1
            if not self._chosen:
                self._port = free_port(self._host)
            child = self._server()
            try:
                await child.start()
            except EmbeddedError as error:
                # Between finding the port and using it somebody else may have taken it.
                if "couldn't bind" not in str(error) or not tries:
                    raise
            else:
                self._child = child
                return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    def _server(self) -> ChildServer:
        arguments: dict[str, object] = {
            "host": self._host, "port": self._port, "parallel": self._parallel, "threads": self._threads,
            "window": self.context_window,
        }  # fmt: skip
        if self._file is not None:
            arguments["file"] = self._file.path
            arguments |= {} if self._file.sha256 is None else {"sha256": self._file.sha256}
        return ChildServer(
            name="embedded model",
            command=[sys.executable, "-m", "gptbot.embedded.model"]
            + [f"--{name}={value}" for name, value in arguments.items()],
            ready=self._healthy,
            start_timeout=self._start_timeout,
        )

    async def _healthy(self) -> bool:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(2.0):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                try:
                    writer.write(b"GET /health HTTP/1.0\r\n\r\n")
                    return b" 200 " in await reader.readline()  # 503 while it loads
                finally:
                    writer.close()
        return False


def serve_model(
    host: str,
    port: int,
    parallel: int = 4,
    threads: int = 0,
    file: ModelFile | None = None,
    window: int = CONTEXT_WINDOW,
) -> None:
    """Serve the model over HTTP until SIGTERM or SIGINT: `/v1/chat/completions` and more as OpenAI's, `/health`.

    Blocks; to be called in the main thread. Answers under way get 20 s to end. Raises EmbeddedError.
    """
    path = find_model() if file is None else file.find()
    if file is not None:
        file.verify()
    # Threads inherit the mask, so the signal is left to sigwait whichever of them the kernel would pick.
    signals = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        started = time.monotonic()
        params = _parameters(host, port, parallel, threads or available_cpus(), window)
        name = _built_in(params, path) if file is None else _own(params, path, file.name)
        server = _start(params, host, port)
        address = str(server.listening_address)
        logger.info("%s serves at %s/v1 after %.1f s", name, address, time.monotonic() - started)
        signal.sigwait(signals)
        _drain(address)
        del server  # closes the port and ends the threads
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _parameters(host: str, port: int, parallel: int, threads: int, window: int) -> Any:
    """What llama.cpp is to do with any model."""
    # Before libgomp is loaded: its threads spin while they wait for each other, which makes an answer 5 times slower
    # as soon as anything else wants the CPU.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    xllamacpp: Any = importlib.import_module("xllamacpp")  # a compiled module without types
    params: Any = xllamacpp.CommonParams()
    params.hostnames = [any_address() if host == EVERYWHERE else host]
    params.port = port
    params.n_parallel = parallel
    params.n_ctx = parallel * window  # divided among the slots
    params.cont_batching = True
    # A conversation comes back with its beginning unchanged, or shifted where it was trimmed: neither is read again.
    params.cache_prompt = True
    params.n_cache_reuse = 32
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    # Each request holds a thread, waiting ones too, and /health needs one.
    params.n_threads_http = parallel + 256
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = threads
        cpu.poll = 0  # the same for ggml's own threads
    params.ui = False
    params.verbosity = 1  # errors only: more would be one line a request, and the prompts
    # Don't Repeat Yourself: each word that would go on with what was said before has its chance lowered, the more the
    # longer that is. It ends loops that a penalty of single words does not, and leaves lists and code alone.
    sampling = params.sampling
    sampling.dry_multiplier, sampling.dry_base = 0.8, 1.75
    sampling.dry_allowed_length, sampling.dry_penalty_last_n = 3, 256
    return params


def _built_in(params: Any, path: Path) -> str:
    """The model that comes along, with the sampling that was measured best for it (`python -m benchmarks answers`)."""
    params.model.path, params.model_alias = str(path), {MODEL}
    params.n_predict = MAX_TOKENS
    params.sampling.temp = 0.0
    params.sampling.penalty_repeat, params.sampling.penalty_last_n = 1.05, 256
    return MODEL


def _own(params: Any, path: Path, name: str) -> str:
    """A model of an owner's file: llama.cpp's own sampling, or what the file says of it."""
    params.model.path, params.model_alias = str(path), {name}
    params.n_predict = MAX_TOKENS_OF_FILE
    return name


def _start(params: Any, host: str, port: int) -> Any:
    xllamacpp: Any = importlib.import_module("xllamacpp")
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise EmbeddedError(f"the embedded model cannot be served at {host}:{port}: {error}") from None


def _drain(address: str) -> None:
    deadline = time.monotonic() + _DRAIN
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/slots", timeout=2.0) as response:  # noqa: S310 - our own address
                if not any(slot["is_processing"] for slot in json.load(response)):
                    return
        except OSError:
            return
        time.sleep(0.1)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Serve the embedded model.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--sha256")
    parser.add_argument("--window", type=int, default=CONTEXT_WINDOW)
    given = parser.parse_args()
    file = ModelFile(given.file, given.sha256) if given.file else None
    try:
        serve_model(given.host, given.port, given.parallel, given.threads, file, given.window)
    except EmbeddedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _main()
