"""What gptbot costs, measured: each module prints its figures, writes them to `results.json` and checks its targets.

`python -m benchmarks` runs all of them; see docs/benchmarks.md for what each figure is.
"""
