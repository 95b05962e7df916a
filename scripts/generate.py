"""Makes every generated file of the repository: `python -m scripts.generate`. With `--check` it only compares them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gptbot_api import crd, docs
from scripts import commands_doc, values_doc, values_schema

ROOT = Path(__file__).parent.parent

FILES: dict[str, Callable[[], str]] = {
    "crds/gptbot_api/revision.py": crd.render_revision,
    "crds/gptbots.gptbot.dev.yaml": crd.render,
    "charts/gptbot/crds/gptbots.gptbot.dev.yaml": crd.render,
    "docs/api.md": docs.reference,
    **{name: partial(commands_doc.render, language) for name, language in commands_doc.pages().items()},
    "docs/values.md": lambda: values_doc.render(values_doc.VALUES.read_text()),
    "charts/gptbot/values.schema.json": values_schema.render,
    "charts/gptbot/templates/_forms.tpl": values_schema.forms,
    "charts/gptbot/README.md": lambda: values_doc.readme(values_doc.VALUES.read_text()),
}
"""Each file and what makes its text."""


def stale() -> list[str]:
    """The files that are not what their source says."""
    return [name for name, render in FILES.items() if not _is(ROOT / name, render())]


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


def main(arguments: list[str]) -> int:
    """Write or check all files. Exit status 1: some were out of date and `--check` was given."""
    out_of_date = stale()
    for name in out_of_date:
        if "--check" in arguments:
            print(f"{name}: is not what its source says; run `make crds` and commit it", file=sys.stderr)  # noqa: T201
        else:
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(FILES[name]())
            print(f"wrote {name}")  # noqa: T201
    return 1 if out_of_date and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
