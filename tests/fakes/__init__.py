"""Servers that stand in for what bots talk to: as strict as the real ones, scripted by tests, full of faults on demand.

Each folder is one server; each also runs by itself, `python -m tests.fakes.NAME`, for tests inside a cluster.
"""
