"""Makes docs/values.md and the chart's README.md of the comments (`# -- …`) in its values.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
VALUES = ROOT / "charts" / "gptbot" / "values.yaml"
MARK = "# -- "

HEAD = """# Values of the chart

<!-- Made by `make crds` from charts/gptbot/values.yaml. Do not edit. -->

Pass them with `--set NAME=VALUE` or `--values FILE` to `helm install` and `helm upgrade`. A value that is not in this
table, or is of another type, is refused. How to install: [getting-started.md](getting-started.md#on-a-cluster).

"""
README_HEAD = """# gptbot

<!-- Made by `make crds` from charts/gptbot/values.yaml. Do not edit. -->

GPT chat bots for Discord, Telegram and the web, as a Kubernetes resource: this chart brings the operator, the GptBot
resource, a Valkey that keeps the conversations and, if wanted, an embedded model and an example bot.
It needs Kubernetes 1.30 or newer and Helm 3.14 or 4.

```sh
# From the repository's root, with the registry that you have pushed the images to: none is published.
helm install gptbot charts/gptbot --namespace gptbot --create-namespace \\
  --set imageRegistry=registry.example.com --set botImage.tag=1 --set operator.image.tag=1
helm upgrade gptbot charts/gptbot --namespace gptbot --reset-then-reuse-values
helm uninstall gptbot --namespace gptbot                                    # the bots and their CRD stay
```

Images, stores of your own, upgrading and removing are told in `docs/deploy.md` of the repository. A value that is not
in this table, or is of another type, is refused.

"""
TABLE = """| value | default | what |
|---|---|---|
"""


class Undocumented(Exception):
    """A value stands in values.yaml without a comment that says what it does."""


def rows(text: str) -> Iterator[tuple[str, Any, str]]:
    """Path, default and description of each documented value. Raises Undocumented."""
    lines = text.splitlines()
    yield from _rows(yaml.compose(text, Loader=yaml.SafeLoader), "", lines)


def _rows(node: yaml.Node | None, prefix: str, lines: list[str]) -> Iterator[tuple[str, Any, str]]:
    if not isinstance(node, yaml.MappingNode):
        raise Undocumented(f"values.yaml: {prefix.rstrip('.')}: give it a line `{MARK}what it does` above")
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        above = lines[key.start_mark.line - 1].strip() if key.start_mark.line else ""
        if above.startswith(MARK):
            yield path, _plain(value), above.removeprefix(MARK)
        else:
            yield from _rows(value, f"{path}.", lines)


def _plain(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def render(text: str) -> str:
    """The page for a values.yaml."""
    return HEAD + _table(text)


def readme(text: str) -> str:
    """The chart's README for a values.yaml."""
    return README_HEAD + _table(text)


def _table(text: str) -> str:
    def cell(text: str) -> str:
        return text.replace("|", "\\|")

    def default(value: Any) -> str:
        shown = json.dumps(value, ensure_ascii=False)
        return "see values.yaml" if len(shown) > 100 else f"`{cell(shown)}`"

    return TABLE + "".join(f"| `{path}` | {default(value)} | {cell(what)} |\n" for path, value, what in rows(text))
