"""What a Deployment says of its own pods: of which template they are, what the bot's owner wanted, who brought them.

It stands in an annotation of the Deployment, so that whoever operates next knows it without having been there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from gptbot_api import GptBot
from gptbot_api.references import Reference
from gptbot_operator.cache import Observed
from gptbot_operator.desired.config import NOT_POD_FIELDS
from gptbot_operator.desired.context import ROLLED_ANNOTATION, annotated
from gptbot_operator.installation import original_of

By = Literal["own", "wave", "quiet", "down"]
"""Who brought the pods: the bot's owner; or a wave, when the bot answered, did not answer, had no gateway."""
_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Stamp:
    """The annotation."""

    template: str
    """Digest of the pod template as it was applied."""
    owner: str
    """Digest of what the owner wanted (`owner_digest`)."""
    by: By

    @staticmethod
    def of(deployment: Observed | None) -> Stamp | None:
        """The stamp of a Deployment. None: it has none that can be read, as an older operator made it."""
        template, _, rest = str(deployment.facts.get("stamp") or "" if deployment else "").partition(" ")
        owner, _, by = rest.partition(" ")
        if len(template) != _LENGTH or len(owner) != _LENGTH or by not in get_args(By):
            return None
        return Stamp(template, owner, cast(By, by))

    def on(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """A Deployment with this stamp."""
        return annotated(manifest, {ROLLED_ANNOTATION: f"{self.template} {self.owner} {self.by}"})


def template_digest(manifest: Mapping[str, Any]) -> str:
    """A digest of a Deployment's pod template."""
    return _digest(b"", manifest["spec"]["template"])


def owner_digest(
    written: GptBot, wanted: Iterable[Reference], digests: Mapping[Reference, str], pepper: str, password: str | None
) -> str:
    """A digest of what the bot's owner says of its pods, and of nothing that an installation or a release adds.

    `written`: the GptBot without defaults of the installation. What it says is the same in each release that has other
    fields besides: fields with their default are left out, whoever filled them in. `password`: of the bot's own login.
    It is keyed with the bot's own secret, so that nobody can try out passwords against it.
    """
    spec = written.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=NOT_POD_FIELDS)
    spec = {name: value for name, value in spec.items() if value or name not in ("gateway", "workers")}
    secrets = {
        f"{reference.name}/{reference.key}": digests.get(reference)
        for reference in wanted
        if reference.kind == "Secret" and original_of(written, reference) is None
    }
    return _digest(pepper.encode(), [spec, secrets, password])


def _digest(key: bytes, value: Any) -> str:
    return hmac.digest(key, json.dumps(value, sort_keys=True).encode(), hashlib.sha256).hex()[:_LENGTH]
