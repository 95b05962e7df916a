"""What a pod's mounted files must be before it starts: said by the operator, checked by the bot."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

REVISION_FILE = "revision"
"""Beside the manifest: changes with all of it that a process reads once."""
DIGEST_VARIABLE = "GPTBOT_MOUNTED"


def digest(pepper: str, revision: str, secrets: Mapping[str, str]) -> str:
    """A digest of the revision and of the mounted Secrets: `NAME/KEY` to the SHA-256 of its stripped value, in hex.

    It is keyed with the bot's own secret, so that nobody can try out passwords against it.
    """
    inputs = json.dumps([revision, sorted(secrets.items())])
    return hmac.digest(pepper.encode(), inputs.encode(), hashlib.sha256).hex()[:32]
