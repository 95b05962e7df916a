"""The revision of the GptBot CRD. Made by `make crds`, which counts on when that changes. Do not edit."""

REVISION = 5
"""Grows with each change; the annotation `gptbot.dev/revision` of the CRD."""
SCHEMA = "306d13cefbf1edabf081e435a59e6c2a81d1444d96b0ca4c573bffa40efae0d7"
"""Digest of the spec of the CRD of that revision."""
