"""Runs the demo (`make demo`), says which model answers and where texts go, and takes another model when told to.

Each is chosen by a variable: OLLAMA (a model of an Ollama that runs), MODEL (of OpenAI, or of what OPENAI_BASE_URL
names; the key is in OPENAI_API_KEY), FILE (in llama.cpp's format, with SHA256). Nothing is sent anywhere unless one is
named.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "demo.yaml"
DATA = ROOT / ".data" / "demo"
_OLLAMA = "127.0.0.1"
_OLLAMA_PORT = 11434
_OPENAI = "https://api.openai.com/v1"
_KEPT_IN = "demo-model"
_HERE = "nowhere: they stay on this machine"
_PATIENCE = 5.0  # seconds that Ollama may take to list its models


class Unusable(Exception):
    """What is asked for cannot be had; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model is to answer."""

    answers: str
    """For people: the model."""
    texts: str
    """For people: where texts go."""
    llm: Mapping[str, Any] | None = None
    """`spec.llm`; None: as in the example."""
    key: str | None = field(default=None, repr=False)
    """The API's key."""


def choose(environment: Mapping[str, str]) -> Choice:
    """The model that the variables name. Raises Unusable."""
    given = {name: environment.get(name, "").strip() for name in ("OLLAMA", "MODEL", "FILE")}
    told = [name for name, value in given.items() if value]
    if len(told) > 1:
        raise Unusable(f"{' and '.join(told)} each name a model: give one of them")
    if given["OLLAMA"]:
        return _ollama(given["OLLAMA"], environment.get("OLLAMA_HOST") or _OLLAMA)
    if given["MODEL"]:
        base = environment.get("OPENAI_BASE_URL") or _OPENAI
        return _endpoint(given["MODEL"], base, environment.get("OPENAI_API_KEY") or None)
    if given["FILE"]:
        return _file(Path(given["FILE"]), environment.get("SHA256") or None)
    answers = (
        "SmolLM2-135M, a small model that comes along: it speaks English only, is often wrong, and is for trying out"
    )
    return Choice(answers, _HERE)


def _ollama(model: str, host: str) -> Choice:
    try:
        address = urlsplit(host if "://" in host else f"http://{host}")
        port = address.port or _OLLAMA_PORT
    except ValueError:
        raise Unusable(f"OLLAMA_HOST is {host!r}, and has to be HOST or HOST:PORT, such as 127.0.0.1:11434") from None
    name = address.hostname or _OLLAMA
    if name in ("0.0.0.0", "::"):  # where it listens, and not an address
        name = _OLLAMA
    shown = f"[{name}]" if ":" in name else name
    base = f"{address.scheme}://{shown}:{port}"
    there = _models_of(base)
    wanted = {model, f"{model}:latest"}
    if not wanted & set(there):
        have = f"it has {', '.join(there)}" if there else "it has none"
        raise Unusable(f"Ollama at {base} has no model {model} ({have}): ollama pull {model}")
    texts = _where(name)
    if model.endswith((":cloud", "-cloud")):
        texts = "to ollama.com, which runs the models whose names end in cloud"
    llm = {"baseUrl": f"{base}/v1", "model": model, "contextWindow": 4096, "timeoutSeconds": 300}
    return Choice(f"{model}, of Ollama at {base}", texts, llm)


def _models_of(base: str) -> list[str]:
    """Names of the models an Ollama has. Raises Unusable."""
    try:
        with urllib.request.urlopen(f"{base}/api/tags", timeout=_PATIENCE) as answer:  # noqa: S310 - http, as given
            listed = json.load(answer)
        return [str(model["name"]) for model in listed["models"]]
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unusable(
            f"no Ollama answers at {base} ({reason}): start it (ollama serve), or say where it is: OLLAMA_HOST=…"
        ) from None
    except (KeyError, TypeError):
        raise Unusable(f"what answers at {base} is no Ollama: say where it is: OLLAMA_HOST=…") from None


def _endpoint(model: str, base: str, key: str | None) -> Choice:
    address = urlsplit(base)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise Unusable(f"OPENAI_BASE_URL is {base!r}, and has to be the address of an API, such as {_OPENAI}")
    if key is None and base.rstrip("/") == _OPENAI:
        raise Unusable(
            f"MODEL={model} without OPENAI_BASE_URL is one of OpenAI's, which needs a key: "
            f"OPENAI_API_KEY=… make demo MODEL={model}"
        )
    llm: dict[str, Any] = {"baseUrl": base.rstrip("/"), "model": model}
    if key is not None:
        llm["apiKeySecretRef"] = {"name": _KEPT_IN, "key": "key"}
    return Choice(f"{model}, at {address.hostname}", _where(address.hostname), llm, key)


def _file(path: Path, sha256: str | None) -> Choice:
    embedded = {"file": str(path.absolute())} | ({"sha256": sha256} if sha256 else {})
    return Choice(f"the model in {path}", _HERE, {"embedded": embedded})


def _where(host: str) -> str:
    """Where texts go that are sent to a host."""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    return _HERE if local else f"to {host}, after personal data is taken out"


def manifest(choice: Choice) -> str:
    """The example with the chosen model."""
    (bot,) = yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8"))
    bot["spec"]["llm"] = dict(choice.llm or {})
    bot["spec"]["platforms"]["web"]["title"] = "A bot"
    documents = [bot]
    if choice.key is not None:
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": _KEPT_IN},
            "stringData": {"key": choice.key},
        }
        documents.append(secret)
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)


def run(choice: Choice, arguments: Sequence[str], directory: Path) -> None:
    """Run the bot until it is stopped. A file with the key is there as long, readable to its owner alone."""
    from gptbot.cli import app

    if choice.llm is None:
        app(["run", "-f", str(EXAMPLE), *arguments])
        return
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "demo.yaml"
    path.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(manifest(choice))
        app(["run", "-f", str(path), *arguments])
    finally:
        path.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what answers, and run it."""
    parser = argparse.ArgumentParser(description="Run the demo; OLLAMA, MODEL or FILE in the environment name a model.")
    parser.add_argument("--port", default="8080", help="port of the page (default: 8080)")
    parser.add_argument("--data-dir", type=Path, default=DATA, help="where conversations are kept")
    given = parser.parse_args(arguments)
    try:
        choice = choose(os.environ)
    except Unusable as error:
        sys.exit(f"demo: {error}")
    say(f"» the model that answers: {choice.answers}")
    say(f"» where texts go: {choice.texts}")
    if choice.llm is None:
        say("» a better one: make demo OLLAMA=qwen3:4b, MODEL=gpt-5-mini (key in OPENAI_API_KEY), or FILE=model.gguf")
    say(f"» open http://127.0.0.1:{given.port}, and stop it with Ctrl-C")
    run(choice, ["--data-dir", str(given.data_dir), "--http-port", given.port], given.data_dir)


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - this is what a person reads


if __name__ == "__main__":
    main()
