"""Who is behind a bot, as it tells people who ask."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gptbot_api.base import ApiModel
from gptbot_api.platforms import HttpUrl


class About(ApiModel):
    """Who runs the bot: what the commands `about` and `privacy` say, in the owner's own words."""

    owner: Annotated[str, Field(max_length=200)] = ""
    """Who runs it: a name people know. Empty: they are told that it is not said."""
    contact: Annotated[str, Field(max_length=200)] = ""
    """Where to write to the owner: an e-mail address, a page, an account. Public: everybody who asks is told."""
    source: HttpUrl | None = None
    """Where the bot's source or description can be read. Absent: not named."""
