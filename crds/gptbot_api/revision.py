"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 5
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "bc9f4f1b54df59f7029d0b4be90e1bc3a2d0791406bcdad919bb8ac5030891bc"
"""Digest of the spec of the CRD of that revision."""
