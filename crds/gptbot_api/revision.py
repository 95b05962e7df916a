"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 5
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "3e4dc634a5496143af56b7ed32bf6a2c10302117730f2fdae1cd31ab094fb9ed"
"""Digest of the spec of the CRD of that revision."""
