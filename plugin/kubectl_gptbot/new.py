"""`kubectl gptbot new`: asks for what a GptBot needs, and writes its manifest and Secret, or applies them.

Every answer can be a flag too. The API server, `gptbot validate` and this program agree on what is right.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
import yaml

from kubectl_gptbot.kubectl import KIND, ClusterError, Document, Kubectl

PLATFORMS = ("telegram", "discord", "web")
OPENAI = "https://api.openai.com/v1"
EMBEDDED = "embedded"
PROMPT = "You are a helpful assistant."
_HEAD = "# Holds secrets: keep it out of git.\n"


class Unanswered(Exception):
    """An answer is missing or wrong; the text says which and how it has to be."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to know of a bot."""

    flag: str
    text: str
    pattern: str
    rule: str
    """What the pattern wants, in words."""
    default: str | None = None
    secret: bool = False

    def answer(self, given: str | None) -> str:
        """What was given as a flag, else what the person says, else the default. Raises Unanswered."""
        if given is not None or not sys.stdin.isatty():
            return self._checked(self.default if given is None else given)
        while True:
            said = typer.prompt(
                self.text, default=self.default, hide_input=self.secret, show_default=not self.secret, err=True
            )
            try:
                return self._checked(said)
            except Unanswered as error:
                typer.echo(error, err=True)

    def _checked(self, value: str | None) -> str:
        if value is None:
            raise Unanswered(f"{self.flag} is needed: there is no terminal to ask at")
        if not re.fullmatch(self.pattern, value.strip(), re.DOTALL):
            raise Unanswered(f"{self.flag}: {self.rule}")
        return value.strip()


NAME = Question(
    "NAME", "Name of the bot", "(?=.{1,50}$)[a-z]([-a-z0-9]*[a-z0-9])?",
    "a name is 1 to 50 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen",
)  # fmt: skip
PLATFORM = Question(
    "--platform", f"Platforms, with commas between ({', '.join(PLATFORMS)})",
    rf"({'|'.join(PLATFORMS)})(\s*,\s*({'|'.join(PLATFORMS)}))*", f"platforms are: {', '.join(PLATFORMS)}", "web",
)  # fmt: skip
TOKENS = {
    "telegram": Question(
        "--telegram-token", "Telegram: the token that @BotFather gave (it is not shown)", "[0-9]+:[A-Za-z0-9_-]+",
        "a token of Telegram is a number, a colon, and letters and digits, as @BotFather gives it", secret=True,
    ),
    "discord": Question(
        "--discord-token", "Discord: the bot's token of the Developer Portal (it is not shown)",
        r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
        "a token of Discord has three parts with dots between, as the Developer Portal gives it", secret=True,
    ),
}  # fmt: skip
MODEL_URL = Question(
    "--model-url", f"Model: address of an OpenAI-compatible API, or: {EMBEDDED}", rf"{EMBEDDED}|https?://[^\s/$.?#][^\s]*",
    f"an address begins with http:// or https:// and ends with its version, such as {OPENAI}; or it is {EMBEDDED}",
)  # fmt: skip
MODEL = Question("--model", "Name of the model there", r"\S.{0,255}", "a name has 1 to 256 characters")
KEY = Question(
    "--model-key", "API key of the model; empty: none (it is not shown)", r"\S*", "a key has no spaces", "", secret=True
)
PERSONA = Question(
    "--prompt", "What the bot is to be", ".{1,20000}", "a prompt has 1 to 20,000 characters", PROMPT
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What stood on the command line; None: it did not."""

    name: str | None
    platforms: Sequence[str]
    telegram_token: str | None
    discord_token: str | None
    model_url: str | None
    model: str | None
    model_key: str | None
    prompt: str | None


def ask(given: Given, namespace: str) -> list[Document]:
    """The manifest and, where it needs one, the Secret. Raises Unanswered."""
    name = NAME.answer(given.name)
    chosen = PLATFORM.answer(",".join(given.platforms) or None)
    names = sorted(set(re.split(r"\s*,\s*", chosen)), key=PLATFORMS.index)
    secret: dict[str, str] = {}
    platforms: dict[str, Any] = {}
    tokens = {"telegram": given.telegram_token, "discord": given.discord_token}
    for platform in names:
        platforms[platform] = {}
        if platform in TOKENS:
            secret[f"{platform}-token"] = TOKENS[platform].answer(tokens[platform])
            platforms[platform] = {"tokenSecretRef": {"name": name, "key": f"{platform}-token"}}
    llm = _llm(given, name, secret)
    prompt = PERSONA.answer(given.prompt)
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    spec = {
        "platforms": platforms,
        "llm": llm,
        "personas": [{"name": "assistant", "title": "Assistant", "prompt": prompt}],
    }
    documents: list[Document] = [
        {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata, "spec": spec}
    ]
    if secret:
        documents.append({"apiVersion": "v1", "kind": "Secret", "metadata": dict(metadata), "stringData": secret})
    return documents


def _llm(given: Given, name: str, secret: dict[str, str]) -> dict[str, Any]:
    url = MODEL_URL.answer(given.model_url)
    if url == EMBEDDED:
        return {EMBEDDED: {}}
    llm: dict[str, Any] = {"baseUrl": url}
    key = KEY.answer(given.model_key)
    if key:
        secret["model-key"] = key
        llm["apiKeySecretRef"] = {"name": name, "key": "model-key"}
    return llm | {"model": MODEL.answer(given.model)}


def text(documents: list[Document]) -> str:
    """The documents as a file."""
    return _HEAD + yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=120)


def write(documents: list[Document], path: Path) -> None:
    """Write a file that only its owner may read. Raises ClusterError when there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ClusterError(f"{path} is there already; name another file with --output, or move it away") from None
    except OSError as error:
        raise ClusterError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(text(documents))


def apply(kubectl: Kubectl, documents: list[Document]) -> str:
    """Apply them; what kubectl says. Raises ClusterError, also when there is such a bot already."""
    name = documents[0]["metadata"]["name"]
    if kubectl.get(KIND, name) is not None:
        raise ClusterError(f"there is a GptBot {name} already; `kubectl edit gptbot {name}` changes it")
    return kubectl.run(
        "apply", "--server-side", "--field-manager=kubectl-gptbot", "--filename=-", stdin=text(documents)
    )  # fmt: skip
