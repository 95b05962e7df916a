"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 5
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "8df58d27eb7f27f79fa9fed77acc88df060485da1eb9e98002ab376ee3cc5d7a"
"""Digest of the spec of the CRD of that revision."""
