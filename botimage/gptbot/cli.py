"""The program `gptbot`: one command a role. Heavy modules are loaded by the command that needs them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

app = typer.Typer(
    name="gptbot",
    help="A GPT chat bot for chat platforms and the web.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Files = Annotated[list[Path], typer.Option("--file", "-f", help="Manifest with GptBots, their Secrets and ConfigMaps.")]
Manifest = Annotated[list[Path], typer.Option(envvar="GPTBOT_MANIFEST", help="Manifest with the GptBot.")]
Refs = Annotated[
    Path | None, typer.Option(envvar="GPTBOT_REFS", help="Directory with secrets/NAME/KEY and configmaps/NAME/KEY.")
]
MetricsPort = Annotated[int, typer.Option(envvar="GPTBOT_METRICS_PORT", help="Port of /metrics, /livez and /readyz.")]
TurnLease = Annotated[
    float,
    typer.Option(min=1, envvar="GPTBOT_TURN_LEASE", help="Seconds after which a dead worker's answers are taken over."),
]
LogLevel = Annotated[str, typer.Option(envvar="GPTBOT_LOG_LEVEL", help="debug, info, warning or error.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        envvar="GPTBOT_DATA_DIR", help="Where the embedded store keeps its data. Default: ~/.local/share/gptbot."
    ),
]


@app.command()
def gateway(
    manifest: Manifest,
    refs: Refs = None,
    http_port: Annotated[int, typer.Option(envvar="GPTBOT_HTTP_PORT", help="Port of web page and webhooks.")] = 8080,
    metrics_port: MetricsPort = 9090,
    turn_lease: TurnLease = 15,
    log_level: LogLevel = "info",
) -> None:
    """Hold the platforms' sessions, take messages in, and answer as spec.gateway.concurrency says."""
    _role(
        manifest, refs, log_level, receive=True, concurrency="gateway", http_port=http_port, metrics_port=metrics_port,
        turn_lease=turn_lease,
    )  # fmt: skip


@app.command()
def worker(
    manifest: Manifest, refs: Refs = None, metrics_port: MetricsPort = 9090, turn_lease: TurnLease = 15,
    log_level: LogLevel = "info",
) -> None:  # fmt: skip
    """Answer messages that gateways took in."""
    _role(
        manifest, refs, log_level, receive=False, concurrency="workers", metrics_port=metrics_port,
        turn_lease=turn_lease,
    )  # fmt: skip


@app.command()
def run(
    file: Files,
    data_dir: DataDir = None,
    http_host: Annotated[str, typer.Option(help="Address the web page listens on.")] = "127.0.0.1",
    http_port: Annotated[int, typer.Option(envvar="GPTBOT_HTTP_PORT", help="Port of web page and webhooks.")] = 8080,
    metrics_port: MetricsPort = 0,
    log_level: LogLevel = "info",
) -> None:
    """Run bots in this one process, with a store and a model of its own where the manifest names none."""
    _logs(log_level)
    from gptbot.local import run as run_all

    _run(run_all(file, data_dir, http_host, http_port, metrics_port))


@app.command()
def model(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Answers made at the same time.")] = 4,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: as many as there are cores.")] = 0,
    file: Annotated[Path | None, typer.Option(help="Another model than the one that comes along: a GGUF file.")] = None,
    sha256: Annotated[str, typer.Option(help="SHA-256 that the file must have.", metavar="HEX")] = "",
    window: Annotated[
        int, typer.Option(min=0, max=1_048_576, help="Tokens of an answer and its prompt; 0: 2048, with --file 4096.")
    ] = 0,
) -> None:
    """Serve the embedded model, or a model of your own, as an OpenAI-compatible API at /v1."""
    _logs("info")
    from gptbot.embedded.errors import EmbeddedError
    from gptbot.embedded.file import ModelFile
    from gptbot.embedded.model import serve_model
    from gptbot.embedded.window import CONTEXT_WINDOW, FILE_WINDOW

    if sha256 and file is None:
        _fail("--sha256 is that of --file: give the file too")
    if sha256 and re.fullmatch("[0-9a-fA-F]{64}", sha256) is None:
        _fail(f"--sha256 has {len(sha256)} characters that are no SHA-256: it has 64 hexadecimal digits")
    own = None if file is None else ModelFile(file, sha256 or None)
    try:
        serve_model(host, port, parallel, threads, own, window or (CONTEXT_WINDOW if own is None else FILE_WINDOW))
    except EmbeddedError as error:
        _fail(str(error))


@app.command()
def validate(file: Files) -> None:
    """Check manifests: one line a fault; warnings of what is likely wrong do not change the exit status."""
    from gptbot.manifest import load
    from gptbot.review import review

    configs = _checked(lambda: load(file))
    found = review(configs, here=False)
    for each in found:
        print(f"gptbot: {each}" if each.certain else f"gptbot: warning: {each}", file=sys.stderr)  # noqa: T201
    if any(each.certain for each in found):
        sys.exit(1)
    for config in configs:
        print(f"{config.key}: valid")  # noqa: T201 - this is what the command is for
        if not config.bot.spec.llm.named:
            note = "spec.llm names no model: `gptbot run` takes the embedded one, a cluster its installation's default"
            print(f"{config.key}: {note}")  # noqa: T201


BotFiles = Annotated[
    list[Path], typer.Option("--file", "-f", envvar="GPTBOT_MANIFEST", help="Manifest with the GptBot.")
]
BotName = Annotated[str, typer.Option("--bot", help="NAMESPACE/NAME, if the files hold several bots.")]


@app.command()
def chat(
    file: BotFiles,
    question: Annotated[
        str, typer.Argument(help="What to ask. Default: each line of standard input, in one conversation.")
    ] = "",
    refs: Refs = None,
    data_dir: DataDir = None,
    bot: BotName = "",
    session: Annotated[str, typer.Option(help="Name of the conversation to go on with. Default: a new one.")] = "",
    wait: Annotated[bool, typer.Option(help="Wait while the bot tries again what the model failed at.")] = True,
) -> None:
    """Ask the running bot, or a temporary one if it is not running, and print the answer."""
    _logs("error")
    from gptbot.chat import ChatFailed
    from gptbot.chat import chat as ask
    from gptbot.inbox.store import StoreUnavailable

    try:
        _run(ask(file, refs, data_dir, bot, question, session, patient=wait))
    except* (ChatFailed, StoreUnavailable) as errors:
        _fail("\n".join(str(error) for error in errors.exceptions))


dead = typer.Typer(help="Messages that were given up after several tries.", no_args_is_help=True)
app.add_typer(dead, name="dead")
Letter = Annotated[str, typer.Argument(help="ID as `gptbot dead list` shows it.")]
Letters = Annotated[list[str], typer.Argument(help="IDs as `gptbot dead list` shows them, or: all")]


@dead.command("list")
def dead_list(file: BotFiles, refs: Refs = None, data_dir: DataDir = None, bot: BotName = "") -> None:
    """One line a message, newest first."""
    from gptbot.dead import show_all

    _dead(show_all(file, refs, data_dir, bot))


@dead.command("show")
def dead_show(letter: Letter, file: BotFiles, refs: Refs = None, data_dir: DataDir = None, bot: BotName = "") -> None:
    """One message with its text, personal data taken out."""
    from gptbot.dead import show

    _dead(show(file, refs, data_dir, bot, letter))


@dead.command("retry")
def dead_retry(
    letters: Letters, file: BotFiles, refs: Refs = None, data_dir: DataDir = None, bot: BotName = ""
) -> None:
    """Answer messages after all."""
    from gptbot.dead import act

    _dead(act(file, refs, data_dir, bot, letters, retry=True))


@dead.command("drop")
def dead_drop(letters: Letters, file: BotFiles, refs: Refs = None, data_dir: DataDir = None, bot: BotName = "") -> None:
    """Delete messages."""
    from gptbot.dead import act

    _dead(act(file, refs, data_dir, bot, letters, retry=False))


def main() -> None:
    """Entry point."""
    app()


def _role(
    manifest: list[Path], refs: Path | None, log_level: str, *, receive: bool, concurrency: str, metrics_port: int,
    turn_lease: float, http_port: int = 8080,
) -> None:  # fmt: skip
    _logs(log_level)
    from gptbot.manifest import load
    from gptbot.mounted import wait_for_files
    from gptbot.process import Settings, serve
    from gptbot_api.mounted import DIGEST_VARIABLE

    pepper = os.environ.get("GPTBOT_PEPPER", "")
    if len(pepper) < 32:
        _fail("GPTBOT_PEPPER must be a secret of at least 32 characters: pseudonyms are made with it")
    if wanted := os.environ.get(DIGEST_VARIABLE):
        wait_for_files(manifest[0], refs, pepper, wanted)
    configs = _checked(lambda: load(manifest, refs))
    url = os.environ.get("GPTBOT_MODEL_URL")
    settings = Settings(
        manifests=manifest, directory=refs, store_url=os.environ.get("GPTBOT_STORE_URL"), pepper=pepper,
        model=(url, "smollm2-135m-instruct") if url else None, http_port=http_port, metrics_port=metrics_port,
        turn_lease=turn_lease,
    )  # fmt: skip
    _run(serve(configs, settings, receive=receive, concurrency=concurrency))


def _run(work: Coroutine[Any, Any, None]) -> None:
    import uvloop

    from gptbot import garbage
    from gptbot.embedded.errors import EmbeddedError
    from gptbot_api import InvalidManifest

    garbage.tune()
    try:
        uvloop.run(work)
    except* InvalidManifest as errors:
        _fail("\n".join(str(error) for error in errors.exceptions))
    except* (EmbeddedError, OSError) as errors:
        _fail("\n".join(str(error) for error in errors.exceptions))
    except* KeyboardInterrupt:
        sys.exit(130)


def _dead(work: Coroutine[Any, Any, None]) -> None:
    _logs("error")
    from gptbot.dead import NoSuchLetter
    from gptbot.inbox.store import StoreUnavailable

    try:
        _run(work)
    except* (NoSuchLetter, StoreUnavailable) as errors:
        _fail("\n".join(str(error) for error in errors.exceptions))


def _checked(load: Any) -> Any:
    from gptbot_api import InvalidManifest

    try:
        return load()
    except InvalidManifest as error:
        _fail(str(error))


def _logs(level: str) -> None:
    from gptbot.telemetry.logs import configure

    configure(level, human=sys.stderr.isatty())


def _fail(message: str) -> NoReturn:
    for line in message.splitlines():
        print(f"gptbot: {line}", file=sys.stderr)  # noqa: T201 - a person reads it
    sys.exit(1)
