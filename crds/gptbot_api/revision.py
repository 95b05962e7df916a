"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 4
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "09ea667b2bf73ce8ee5ea3491e3947eb612dd009407886d7a4b1b181d5ac449a"
"""Digest of the spec of the CRD of that revision."""
