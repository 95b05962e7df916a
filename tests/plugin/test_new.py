"""`kubectl gptbot new`: what it writes is what the bot takes."""
# ruff: noqa: E501 - tables

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from gptbot.manifest import load

PROGRAM = str(Path(sys.executable).with_name("kubectl-gptbot"))
TOKENS = {"TELEGRAM_TOKEN": "123:hunter2", "DISCORD_TOKEN": "MTA0.hunter2.a-b_c"}
OPENAI = ["--model-url", "https://api.openai.com/v1", "--model", "gpt-5-mini"]


def new(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it without a terminal, without a cluster."""
    return subprocess.run(
        [PROGRAM, "new", *arguments], cwd=directory, env={"PATH": "", "HOME": str(directory), **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "flags",
    [
        ["--model-url", "embedded"],
        ["--platform", "telegram", *OPENAI],
        ["--platform", "discord, web", *OPENAI, "--model-key", "sk-hunter2"],
        ["--platform", "web", "--platform", "telegram", "--platform", "discord", *OPENAI, "-n", "shops"],
        ["--prompt", "Say: \"yes\" # or 'no'\nКратко. 🎈", "--model-url", "embedded"],
    ],
    ids=["least", "telegram", "discord-and-web", "all", "odd-prompt"],
)
def test_the_file_is_a_valid_manifest_for_its_owner_alone(tmp_path: Path, flags: list[str]) -> None:
    ended = new(tmp_path, "shop", *flags, **TOKENS)
    assert ended.returncode == 0, ended.stderr
    assert "hunter2" not in ended.stdout + ended.stderr
    path = tmp_path / "shop.yaml"
    assert path.stat().st_mode & 0o777 == 0o600
    [config] = load([path])
    spec = config.bot.spec
    assert config.bot.metadata.name == "shop"
    assert config.bot.metadata.namespace == ("shops" if "-n" in flags else "default")
    named = ",".join(flags[i + 1] for i, flag in enumerate(flags) if flag == "--platform") or "web"
    assert set(spec.platforms.enabled()) == set(named.replace(" ", "").split(","))
    if spec.platforms.telegram:
        assert config.secret(spec.platforms.telegram.token_secret_ref) == TOKENS["TELEGRAM_TOKEN"]
    if spec.platforms.discord:
        assert config.secret(spec.platforms.discord.token_secret_ref) == TOKENS["DISCORD_TOKEN"]
    if spec.llm.api_key_secret_ref:
        assert config.secret(spec.llm.api_key_secret_ref) == "sk-hunter2"
    assert (spec.llm.api_key_secret_ref is not None) == ("--model-key" in flags)
    if "--prompt" in flags:
        assert config.prompt(spec.personas[0]) == flags[1]
    validated = [sys.executable, "-m", "gptbot", "validate", "-f", str(path)]
    assert subprocess.run(validated, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "NAME is needed: there is no terminal to ask at"),
        (["shop"], "--model-url is needed"),
        (["Shop!", *OPENAI], "NAME: a name is 1 to 50 lower-case letters"),
        (["1shop", *OPENAI], "NAME: a name is 1 to 50 lower-case letters"),
        (["a" * 51, *OPENAI], "NAME: a name is 1 to 50 lower-case letters"),
        (["shop", "--platform", "irc", *OPENAI], "--platform: platforms are: telegram, discord, web"),
        (["shop", "--platform", "telegram", *OPENAI], "--telegram-token is needed"),
        (["shop", "--platform", "telegram", "--telegram-token", "hunter2", *OPENAI], "--telegram-token: a token of Telegram"),
        (["shop", "--platform", "discord", "--discord-token", "hunter2", *OPENAI], "--discord-token: a token of Discord"),
        (["shop", "--model-url", "api.openai.com"], "--model-url: an address begins with http"),
        (["shop", "--model-url", "http://x/v1"], "--model is needed"),
        (["shop", *OPENAI, "--prompt", ""], "--prompt: a prompt has 1 to 20,000 characters"),
        (["shop", *OPENAI, "--output", "none/shop.yaml"], "none/shop.yaml cannot be written: No such file"),
        (["shop", *OPENAI, "--apply"], "there is no kubectl on the PATH"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named(tmp_path: Path, arguments: list[str], says: str) -> None:
    ended = new(tmp_path, *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"kubectl-gptbot: {says}"), ended.stderr
    assert "hunter2" not in ended.stderr
    assert not list(tmp_path.glob("*.yaml"))


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    ended = new(tmp_path, "shop", *OPENAI, "-o", "mine.yaml")
    assert (ended.returncode, "mine.yaml is there already" in ended.stderr) == (1, True)
    assert (tmp_path / "mine.yaml").read_text() == "mine"


def test_it_asks_at_a_terminal_again_until_it_is_right_and_shows_no_token(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "new"], cwd=tmp_path, env={"PATH": "", "HOME": str(tmp_path), "TERM": "dumb"},
        stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    shown = b""

    def answer(question: bytes, text: str, *, secret: bool = False) -> None:
        nonlocal shown
        while question not in shown or bool(termios.tcgetattr(leader)[3] & termios.ECHO) == secret:
            if not select.select([leader], [], [], 0.05)[0]:
                assert process.poll() is None
                continue
            shown += os.read(leader, 4096)
        seen.append(shown)
        shown = b""
        os.write(leader, text.encode() + b"\n")

    seen: list[bytes] = []
    answer(b"Name of the bot", "My Shop")
    answer(b"Name of the bot", "shop")
    answer(b"Platforms", "telegram")
    answer(b"BotFather", "123:hunter2", secret=True)
    answer(b"Model", "http://ollama:11434/v1")
    answer(b"API key", "", secret=True)
    answer(b"Name of the model", "small")
    answer(b"What the bot is to be", "")
    try:
        while data := os.read(leader, 4096):
            shown += data
    except OSError:  # how Linux says that the other end is closed
        pass
    assert process.wait(timeout=30) == 0, shown
    assert b"lower-case letters" in seen[1]
    assert b"hunter2" not in b"".join(seen) + shown
    [config] = load([tmp_path / "shop.yaml"])
    assert config.bot.spec.llm.model == "small"
    assert config.prompt(config.bot.spec.personas[0]) == "You are a helpful assistant."
