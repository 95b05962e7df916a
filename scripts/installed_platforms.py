"""Prints what brought the platforms of installed packages into this environment, as requirements for `uv pip install`.

Run by `scripts/venv.sh`, with the environment's own Python, before it makes the environment what the locks say.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import Distribution, distributions
from urllib.parse import unquote, urlsplit

GROUP = "gptbot.platforms"
OURS = frozenset({"gptbot"})


def requirement(package: Distribution) -> str:
    """Where a package came from: an editable or plain folder, an address, or a version of a registry."""
    origin = json.loads(package.read_text("direct_url.json") or "{}")
    url = origin.get("url", "")
    if url.startswith("file:"):
        path = unquote(urlsplit(url).path)
        return f"-e {path}" if origin.get("dir_info", {}).get("editable") else path
    return f"{package.name} @ {url}" if url else f"{package.name}=={package.version}"


def main() -> None:
    """Print them, a line each."""
    found = {
        package.name: requirement(package)
        for package in distributions()
        if package.name not in OURS and any(entry.group == GROUP for entry in package.entry_points)
    }
    sys.stdout.writelines(f"{line}\n" for _, line in sorted(found.items()))


if __name__ == "__main__":
    main()
