"""The whole run: `python -m tests.chaos`. Figures go to benchmarks/results.json; 1 when a promise is broken."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks import results
from tests.chaos.run import Outcome, run
from tests.chaos.tally import table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--conversations", type=int, default=200, help="a third of them on each platform")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--lease", type=float, default=5.0, help="seconds until a dead worker's turns are taken over")
    parser.add_argument("--patience", type=float, default=240.0, help="seconds until a question counts as lost")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-record", action="store_true", help="leave benchmarks/results.json as it is")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no process is left behind
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # connections cut while a stand-in answers
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gptbot-chaos-") as directory:
        outcome = asyncio.run(
            run(
                Path(directory), messages=given.messages, conversations=given.conversations, kills=given.kills,
                lease=given.lease, patience=given.patience, seed=given.seed, say=lambda line: print(line, flush=True),
            )
        )  # fmt: skip
    return _report(outcome, record=not given.no_record)


def _report(outcome: Outcome, *, record: bool) -> int:
    print(
        f"\n{outcome.messages} messages, {outcome.repeated} of them delivered twice, in {outcome.seconds:.0f} s;"
        f" web pages resumed {outcome.resumed} times"
    )
    print("; ".join(f"{count} × {what}" for what, count in Counter(t.what for t in outcome.troubles).items()) + "\n")
    print(table(outcome.tallies))
    for line, count in Counter(outcome.errors).items():
        print(f"\n{count} × logged as an error: {line}")
    if record:
        results.write({
            "chaos_messages": outcome.messages,
            "chaos_kills": outcome.kills,
            "chaos_lost": sum(len(tally.lost) for tally in outcome.tallies.values()),
            "chaos_out_of_order": sum(len(tally.out_of_order) for tally in outcome.tallies.values()),
            "chaos_unexplained": sum(len(tally.unexplained) for tally in outcome.tallies.values()),
            **{f"chaos_doubled_{name}": len(tally.doubled) for name, tally in outcome.tallies.items()},
        })  # fmt: skip
    for line in [*outcome.histories, *outcome.broken]:
        print(f"\n!!! {line}")
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
