"""The chart as helm renders it: its schema, Kubernetes' schemas, and that nothing secret lies open.

What only an API server can tell of it is in tests/controlplane.
"""
