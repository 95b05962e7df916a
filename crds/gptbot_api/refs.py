"""References to Secrets and ConfigMaps in the bot's own namespace, and addresses of other services."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gptbot_api.base import ApiModel

ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/$.?#][^\s]*$", max_length=2048)]
KeyName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]


class SecretKeyRef(ApiModel):
    """One key of a Secret in the bot's namespace."""

    name: ObjectName
    """Name of the Secret."""
    key: KeyName
    """Key in its data."""


class ConfigMapKeyRef(ApiModel):
    """One key of a ConfigMap in the bot's namespace."""

    name: ObjectName
    """Name of the ConfigMap."""
    key: KeyName
    """Key in its data."""


class PromptSource(ApiModel):
    """Where a prompt is read from."""

    config_map_key_ref: ConfigMapKeyRef
    """The ConfigMap key that holds the prompt."""
