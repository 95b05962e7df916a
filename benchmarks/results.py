"""`results.json`: one flat object, numbers, the unit in the key's name, and beside them the machine and versions."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results.json"
_PACKAGES = ("aiogram", "aiohttp", "discord.py", "openai", "orjson", "redis", "uvloop")


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that must not be greater than a bound."""

    key: str
    at_most: float


def write(figures: Mapping[str, float], path: Path = RESULTS) -> None:
    """Merge figures into the file; those of other benchmarks stay. Raises ValueError for what is no number."""
    for key, value in figures.items():
        if isinstance(value, bool) or not isinstance(value, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"{key} is {value!r}, and figures are numbers")
    merged: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    merged.update({key: round(value, 4) for key, value in figures.items()})
    merged.update(_machine())
    path.write_text(json.dumps(merged, indent=2, sort_keys=True) + "\n")


def check(figures: Mapping[str, float], targets: Sequence[Target]) -> list[str]:
    """A line for each target that is missed."""
    return [
        f"TARGET MISSED: {target.key} is {figures[target.key]:.3f}, and at most {target.at_most:g} is promised"
        for target in targets
        if figures[target.key] > target.at_most
    ]


def finish(figures: Mapping[str, float], targets: Sequence[Target]) -> int:
    """Print and write the figures, check the targets; the exit code."""
    width = max(map(len, figures))
    for key, value in figures.items():
        print(f"  {key:<{width}}  {value:10.3f}")
    write(figures)
    missed = check(figures, targets)
    for line in missed:
        print(f"\n!!! {line}")
    return 1 if missed else 0


def _machine() -> dict[str, str | float]:
    versions = {f"version_{name}": metadata.version(name) for name in _PACKAGES}
    return {
        "machine_cpu": _cpu(),
        "machine_cpus": os.cpu_count() or 0,
        "machine_load_average": round(os.getloadavg()[0], 2),
        "machine_memory_mib": psutil.virtual_memory().total // 2**20,
        "machine_system": f"{platform.system()} {platform.release()}",
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version_python": platform.python_version(),
        "version_gptbot": _commit(),
        **versions,
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    result = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=RESULTS.parent, capture_output=True, text=True, check=False
    )
    return result.stdout.strip() or metadata.version("gptbot")
