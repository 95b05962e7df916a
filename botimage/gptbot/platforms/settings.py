"""Settings of platforms of installed packages, read by a model of their own with the words of the GptBot API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from gptbot_api import Fault, InvalidManifest
from gptbot_api.base import ApiModel
from gptbot_api.validate import parse_as

_M = TypeVar("_M", bound=ApiModel)


def settings_of(model: type[_M], name: str, settings: ApiModel | Mapping[str, Any]) -> _M:
    """What stands under `spec.platforms.extra.NAME`, as its model.

    Raises InvalidManifest, whose faults name the fields from `spec` on.
    """
    if isinstance(settings, model):
        return settings
    path = f"spec.platforms.extra.{name}"
    try:
        return parse_as(model, dict(settings) if isinstance(settings, Mapping) else settings)
    except InvalidManifest as error:
        faults = [
            Fault(path if f.path == "document" else f"{path}.{f.path}".rstrip("."), f.message) for f in error.faults
        ]
        raise InvalidManifest(faults) from None
