"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 5
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "2e2a9cba66be628228dc0f25c36493c5f9f620e4b6d2cecab3d249183f648921"
"""Digest of the spec of the CRD of that revision."""
