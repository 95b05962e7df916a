"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 5
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "9d4dff32c1a66b78979c164b84cd1a2d13f283e948998b61cd11a37c5eef46a5"
"""Digest of the spec of the CRD of that revision."""
