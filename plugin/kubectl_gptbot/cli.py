"""The program `kubectl-gptbot`, which kubectl runs as `kubectl gptbot`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from kubectl_gptbot.kubectl import ClusterError, Kubectl

T = TypeVar("T")

app = typer.Typer(
    name="kubectl gptbot",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Namespace of the bot. Default: the context's.")]
Context = Annotated[str, typer.Option(help="Context of the kubeconfig. Default: the current one.")]
Kubeconfig = Annotated[str, typer.Option(help="Path of the kubeconfig. Default: as kubectl finds it.")]
Name = Annotated[str, typer.Argument(help="Name of the bot.")]
AnyName = Annotated[str, typer.Argument(help="Name of the bot. Default: all bots.")]
Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Bots of all namespaces.")]


class Output(StrEnum):
    """How a command prints."""

    TEXT = "text"
    JSON = "json"


class Role(StrEnum):
    """One of a bot's two kinds of pods."""

    GATEWAY = "gateway"
    WORKER = "worker"


class Action(StrEnum):
    """What to do with messages that were given up."""

    LIST = "list"
    SHOW = "show"
    RETRY = "retry"
    DROP = "drop"


_BEFORE: dict[str, str] = {}
"""What stood before the command."""

rollouts = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(rollouts, name="rollout", help="New pods for all bots, wave by wave: how far it is; pause it, go on.")
Installation = Annotated[str, typer.Argument(help="NAMESPACE/NAME of the operator's Lease. Default: the only one.")]

As = Annotated[Output, typer.Option("--output", "-o", help="For people, or for scripts.")]


@app.callback()
def choose(namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = "") -> None:
    """What is going on with the GptBots of a cluster, and what to do about it."""
    _BEFORE.update(namespace=namespace, context=context, kubeconfig=kubeconfig)


def _kubectl(namespace: str, context: str, kubeconfig: str) -> Kubectl:
    """What the user chose; what stands behind the command wins over what stands before it."""
    return Kubectl(
        namespace or _BEFORE["namespace"], context or _BEFORE["context"], kubeconfig or _BEFORE["kubeconfig"]
    )


@app.command()
def status(
    name: AnyName = "", everywhere: Everywhere = False, output: As = Output.TEXT,
    namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = "",
) -> None:  # fmt: skip
    """Show conditions, platforms, workers, backlog, rollout and Events."""
    from kubectl_gptbot.status import one, overview

    kubectl, as_json = _kubectl(namespace, context, kubeconfig), output == Output.JSON
    if name:
        _run(lambda: one(kubectl, name, as_json=as_json))
    else:
        _run(lambda: overview(kubectl, everywhere=everywhere, as_json=as_json))


@app.command()
def show(name: Name, namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = "") -> None:
    """Print the bot as its pods see it, with every default filled in."""
    _run(lambda: _show(_kubectl(namespace, context, kubeconfig), name))


def _show(kubectl: Kubectl, name: str) -> None:
    config = kubectl.get("configmap", f"{name}-gptbot")
    text = ((config or {}).get("data") or {}).get("bot.yaml")
    if text is None:
        kubectl.bot(name)  # which may be what is missing
        raise ClusterError(f"the operator has not made {name}'s ConfigMap yet; `kubectl gptbot doctor {name}` says why")
    print(text, end="")  # noqa: T201 - this is what the command is for


@app.command()
def logs(
    name: Name,
    role: Annotated[Role | None, typer.Option(help="Of these pods alone. Default: all.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is said.")] = False,
    tail: Annotated[int, typer.Option(help="Newest lines of each pod; -1: all.")] = 200,
    since: Annotated[str, typer.Option(help="Only what is newer, such as 10m or 2h.")] = "",
    namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = "",
) -> None:  # fmt: skip
    """Print what the bot's pods say, in the order of time."""
    from kubectl_gptbot.logs import logs as print_logs

    kubectl, part = _kubectl(namespace, context, kubeconfig), role.value if role else ""
    _run(lambda: print_logs(kubectl, name, part, follow=follow, tail=tail, since=since))


@app.command()
def chat(
    name: Name,
    question: Annotated[str, typer.Argument(help="What to ask. Default: each line of the input, until Ctrl-D.")] = "",
    session: Annotated[str, typer.Option(help="Name of the conversation to go on with. Default: a new one.")] = "",
    namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = "",
) -> None:  # fmt: skip
    """Talk with a bot. Exit status 0: every question was answered."""
    from kubectl_gptbot.talk import chat as talk

    sys.exit(_run(lambda: talk(_kubectl(namespace, context, kubeconfig), name, question, session)))


@app.command()
def dead(
    name: Name,
    action: Annotated[Action, typer.Argument(help="What to do.")],
    letters: Annotated[list[str] | None, typer.Argument(help="IDs as `list` shows them, or: all")] = None,
    namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = "",
) -> None:  # fmt: skip
    """Look at messages that were given up, have them answered after all, or delete them."""
    from kubectl_gptbot.talk import in_gateway

    arguments = ["dead", action.value, *(letters or [])]
    sys.exit(_run(lambda: in_gateway(_kubectl(namespace, context, kubeconfig), name, arguments)))


@app.command()
def doctor(
    name: AnyName = "", everywhere: Everywhere = False, output: As = Output.TEXT,
    namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = "",
) -> None:  # fmt: skip
    """Walk all that can be wrong, and say what to do. Exit status 1: something is."""
    from kubectl_gptbot.doctor import examine

    kubectl, as_json = _kubectl(namespace, context, kubeconfig), output == Output.JSON
    if not _run(lambda: examine(kubectl, name, everywhere=everywhere, as_json=as_json)):
        sys.exit(1)


@rollouts.command("status")
def rollout_status(
    installation: Installation = "", output: As = Output.TEXT,
    namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = "",
) -> None:  # fmt: skip
    """Show which bots have the newest pods, which wait, which fail and why."""
    from kubectl_gptbot.rollout import show

    _run(lambda: show(_kubectl(namespace, context, kubeconfig), installation, as_json=output == Output.JSON))


@rollouts.command("pause")
def rollout_pause(
    installation: Installation = "", namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = ""
) -> None:
    """Have no other bot begun until somebody resumes, whatever happens to the operator."""
    from kubectl_gptbot.rollout import pause

    print(_run(lambda: pause(_kubectl(namespace, context, kubeconfig), installation)))  # noqa: T201


@rollouts.command("resume")
def rollout_resume(
    installation: Installation = "", namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = ""
) -> None:
    """Go on after a pause, or although the pods of some bots fail: those are left out."""
    from kubectl_gptbot.rollout import resume

    print(_run(lambda: resume(_kubectl(namespace, context, kubeconfig), installation)))  # noqa: T201


@app.command()
def new(
    name: Annotated[str | None, typer.Argument(help="Name of the bot.")] = None,
    platform: Annotated[list[str] | None, typer.Option(help="telegram, discord or web. May be given again.")] = None,
    telegram_token: Annotated[str | None, typer.Option(envvar="TELEGRAM_TOKEN", help="Token of @BotFather.")] = None,
    discord_token: Annotated[str | None, typer.Option(envvar="DISCORD_TOKEN", help="Token of the portal.")] = None,
    model_url: Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible API, or: embedded")] = None,
    model: Annotated[str | None, typer.Option(help="Name of the model there.")] = None,
    model_key: Annotated[str | None, typer.Option(envvar="MODEL_KEY", help="API key of the model.")] = None,
    prompt: Annotated[str | None, typer.Option(help="What the bot is to be.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write. Default: NAME.yaml")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply it to the cluster instead of writing a file.")] = False,
    namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = "",
) -> None:  # fmt: skip
    """Make a bot: ask for what it needs, and write manifest and Secret, or apply them."""
    from kubectl_gptbot import new as making

    given = making.Given(
        name=name, platforms=platform or (), telegram_token=telegram_token, discord_token=discord_token,
        model_url=model_url, model=model, model_key=model_key, prompt=prompt,
    )  # fmt: skip
    try:
        documents = making.ask(given, _kubectl(namespace, context, kubeconfig).namespace)
    except making.Unanswered as error:
        _fail(str(error))
    made = documents[0]["metadata"]["name"]
    if apply:
        print(_run(lambda: making.apply(_kubectl(namespace, context, kubeconfig), documents)), end="")  # noqa: T201
        print(f"See how it does: kubectl gptbot status {made}")  # noqa: T201
    else:
        path = output or Path(f"{made}.yaml")
        _run(lambda: making.write(documents, path))
        print(f"{path}: written, for your eyes only. Apply it: kubectl apply --server-side -f {path}")  # noqa: T201


def main() -> None:
    """Entry point."""
    app()


def _run(work: Callable[[], T]) -> T:
    try:
        return work()
    except ClusterError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> NoReturn:
    print(f"kubectl-gptbot: {message}", file=sys.stderr)  # noqa: T201 - a person reads it
    sys.exit(1)
