"""References to Secrets and ConfigMaps in the bot's own namespace, and addresses of other services."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gptbot_api.base import ApiModel, Form

ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/$.?#][^\s]*$", max_length=2048)]
_METHODS = "chat/completions|completions|responses|models|embeddings|moderations|audio/transcriptions"
API_BASE = Form(
    rf"(?![^?#]*/(?:{_METHODS})/*\Z)(?!https?://api\.openai\.com/*\Z)[^?#]*",
    "must be the base address of the API, up to and with its version, such as https://api.openai.com/v1: gptbot puts "
    "/chat/completions and other paths behind it, so none of those, no ? and no # may stand there",
    cel=f"!self.matches(r'/({_METHODS})/*$') && !self.matches(r'^https?://api\\.openai\\.com/*$')"
    " && !self.matches('[?#]')",
    spares_stored=True,
)
ApiUrl = Annotated[HttpUrl, API_BASE]
"""Base address of an OpenAI-compatible API."""
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
