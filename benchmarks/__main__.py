"""All benchmarks: `python -m benchmarks`. Exits with 1 when a target is missed."""

from __future__ import annotations

import sys

from benchmarks import cold_start, stream_cpu

if __name__ == "__main__":
    sys.exit(max([cold_start.main(), stream_cpu.main()]))
