"""Waits for the mounted files that a pod was made for: a kubelet may hand a new pod those of before a change."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from gptbot.telemetry.logs import get_logger
from gptbot_api.mounted import REVISION_FILE, digest

log = get_logger("manifest")

PATIENCE = 100.0
"""Seconds to wait. A kubelet renews mounted files within about a minute; the start-up probe waits for two."""
_INTERVAL = 0.5


def wait_for_files(
    manifest: Path, directory: Path | None, pepper: str, wanted: str, patience: float = PATIENCE
) -> bool:
    """Wait until manifest and Secrets are those of `wanted`, a digest; False: they never were.

    With the operator away they may have been changed since, so a bot goes on with what is there.
    """
    deadline = time.monotonic() + patience
    said = False
    while _digest(manifest, directory, pepper) != wanted:
        if not said:
            said = True
            log.info("the mounted files are not those this pod was made for; waiting for them", seconds=patience)
        if time.monotonic() >= deadline:
            log.warning("the mounted files are still not those this pod was made for; going on with them")
            return False
        time.sleep(_INTERVAL)
    return True


def _digest(manifest: Path, directory: Path | None, pepper: str) -> str:
    try:
        revision = (manifest.parent / REVISION_FILE).read_text()
        secrets = {
            f"{path.parent.name}/{path.name}": hashlib.sha256(value).hexdigest()
            for path in ((directory / "secrets").glob("*/*") if directory else ())
            if (value := path.read_bytes().strip())
        }
    except OSError:
        return ""  # the kubelet is just renewing them
    return digest(pepper, revision, secrets)
