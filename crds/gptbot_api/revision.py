"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 3
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "6814689246e46a0cf7a094759fe73a3f77e3460fc08a43d22cd544ef7c49fd82"
"""Digest of the spec of the CRD of that revision."""
