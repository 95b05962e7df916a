"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 5
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "effc38ca07edc14ecb872b2102339f8e61eabe7dd983ae96bb2b9f27993cd8df"
"""Digest of the spec of the CRD of that revision."""
