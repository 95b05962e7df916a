"""Makes the guide of the commands, one page a language, of the commands' own definitions and texts."""

from __future__ import annotations

from gptbot.conversation import commands
from gptbot.conversation.arguments import form
from gptbot.conversation.commands.base import Command
from gptbot.conversation.commands.help import explanation
from gptbot.locales import DEFAULT, Texts, languages, texts
from gptbot_api import parse

_SPEC = parse({
    "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": "bot"},
    "spec": {
        "platforms": {"web": {}}, "llm": {"embedded": {}},
        "personas": [
            {"name": "consultant", "prompt": "You are a consultant."},
            {"name": "translator", "prompt": "You translate."},
        ],
    },
}).spec  # fmt: skip
"""Of the bot whose roles stand in the examples."""


def pages() -> dict[str, str]:
    """File to language."""
    return {"docs/commands.md" if name == DEFAULT else f"docs/{name}/commands.md": name for name in languages()}


def render(language: str) -> str:
    """The page in a language."""
    said = texts(language).showing(_written)
    parts = [
        f"# {said('guide-title')}",
        f"<!-- Made by `make crds` from the commands and botimage/gptbot/locales/*.{language}.ftl. Do not edit. -->",
        said("guide-intro"),
        _table(said),
        said("guide-buttons"),
        said("guide-administrators"),
        f"## {said('guide-each')}",
    ]
    for item in commands.all_commands():
        how = explanation(item, _SPEC, said).partition("\n")[2]
        parts.append(f"### `{_form(item, said)}`\n\n{said(f'command-{item.name}')}.\n\n{_paragraphs(how)}")
    parts += [f"## {said('guide-questions')}", said("guide-questions-text"), _answer_in(said)]
    parts.append(said("guide-conversations"))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _form(item: Command, said: Texts) -> str:
    return f"/{form(item, said)[1:]}"


def _written(name: str, argument: str) -> str:
    """A command as it is typed everywhere."""
    return f"`/{name} {argument}`" if argument else f"`/{name}`"


def _table(said: Texts) -> str:
    rows = [f"| {said('guide-command')} | {said('guide-what')} |", "|---|---|"]
    rows += [
        f"| `{_form(item, said).replace('|', chr(92) + '|')}` | {said(f'command-{item.name}')} |"
        for item in commands.all_commands()
    ]
    return "\n".join(rows)


def _answer_in(said: Texts) -> str:
    every, mention, only = (said(f"guide-{name}") for name in ("every", "mention", "only"))
    return "\n".join([
        "| | `always` | `mentioned` | `commands` |", "|---|---|---|---|",
        f"| {said('guide-direct')} | {said('guide-default', what=every)} | {every} | {only} |",
        f"| {said('guide-groups')} | {every} | {said('guide-default', what=mention)} | {only} |",
    ])  # fmt: skip


def _paragraphs(text: str) -> str:
    """A chat's lines as Markdown of a page: its dots as a list, each other line a paragraph."""
    shown = ""
    for line in filter(None, text.splitlines()):
        item = line.startswith("• ")
        together = item and shown.rpartition("\n")[2].startswith("- ")
        shown += ("\n" if together else "\n\n") + (f"- {line[2:]}" if item else line)
    return shown.strip()
