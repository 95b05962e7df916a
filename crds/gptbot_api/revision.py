"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 2
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "d366f00b1483133366545ca932b8a363eac9ff19250ea9fd4e68349f00b7535d"
"""Digest of the spec of the CRD of that revision."""
