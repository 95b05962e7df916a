"""What keeps a bot's talk within bounds: an endpoint that looks at what is said."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gptbot_api.base import ApiModel, Rule
from gptbot_api.refs import ApiUrl, SecretKeyRef


class Moderation(ApiModel):
    """An OpenAI-compatible endpoint for moderation (`POST /moderations`) that says whether a text may be said."""

    base_url: ApiUrl
    """Base address of the API, up to and with its version: `https://api.openai.com/v1`."""
    api_key_secret_ref: SecretKeyRef | None = None
    """Its API key. Absent: none is sent."""
    model: Annotated[str, Field(min_length=1, max_length=256)] = "omni-moderation-latest"
    """Name of the model there."""
    input: bool = True
    """Look at what people write, before the model is asked."""
    output: bool = True
    """Look at what the model says, before anybody sees it: answers are shown whole then, not as they grow."""
    on_error: Literal["allow", "refuse"] = "refuse"
    """When the endpoint does not answer: `allow` everything, or `refuse` to answer until it does."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.input || self.output",
            "there is nothing to look at: input and output must not both be false",
            lambda m: m.input or m.output,
        ),
    )


class Safety(ApiModel):
    """What keeps the bot's talk within bounds."""

    moderation: Moderation | None = None
    """Have questions and answers looked at. Absent: nobody does."""
