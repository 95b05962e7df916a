"""All benchmarks, or those named: `python -m benchmarks [NAME…] [--runs N]`. Exits with 1 when a target is missed."""

from __future__ import annotations

import argparse
import sys

from benchmarks import answers, cold_start, final_text, slow_streams, store, stream_cpu, turns, users

_ALL = {
    "cold_start": cold_start.main,
    "stream_cpu": stream_cpu.main,
    "slow_streams": slow_streams.main,
    "store": store.main,
    "final_text": final_text.main,
    "turns": turns.main,
    "users": users.main,
    "answers": answers.main,
}


def main() -> int:
    """Run them, one after the other; the worst exit code."""
    parser = argparse.ArgumentParser(description="Measure gptbot; figures go to benchmarks/results.json.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(_ALL)}; all, if none is given")
    parser.add_argument("--runs", type=int, default=5, help="runs that a median is of (default: 5)")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(_ALL)):
        parser.error(f"there is no benchmark {', '.join(unknown)}")
    return max([_ALL[name](given.runs) for name in given.names or _ALL])


if __name__ == "__main__":
    sys.exit(main())
