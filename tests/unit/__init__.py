"""Pure parts of the operator: status, merge, settings, queue.

What it makes is in `tests/golden`, what it does to a cluster in `tests/controlplane`.
"""
