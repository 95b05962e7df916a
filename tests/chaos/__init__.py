"""Many messages while processes are killed and paused, the store restarts and networks are cut.

In the end nothing may be lost, doubled or out of order. `python -m tests.chaos` is the whole of it.
"""
