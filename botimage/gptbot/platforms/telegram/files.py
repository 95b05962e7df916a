"""Files that people sent, from the Bot API server (https://core.telegram.org/bots/api#getfile)."""

from __future__ import annotations

from typing import Any

from gptbot.platforms.errors import OutcomeUnknown, Rejected, TooLarge
from gptbot.platforms.telegram.api import BadRequest, BotApi
from gptbot.platforms.telegram.limits import DOWNLOAD_BYTES


async def fetch_file(api: BotApi, file_id: str, limit: int) -> bytes:
    """The content of a file. Raises TooLarge, Rejected when it is not there (any more), or SendError."""
    limit = min(limit, DOWNLOAD_BYTES)
    try:
        found: Any = await api.call("getFile", {"file_id": file_id})
    except BadRequest as error:
        if "too big" in error.description:
            raise TooLarge(DOWNLOAD_BYTES) from None
        raise
    details: dict[str, Any] = found if isinstance(found, dict) else {}
    path, size = details.get("file_path"), details.get("file_size")
    if isinstance(size, int) and size > limit:
        raise TooLarge(limit)
    if not isinstance(path, str):
        raise OutcomeUnknown("the Bot API server's answer to getFile names no path")
    if path.startswith("/"):
        raise Rejected("the Bot API server runs with --local and keeps files on its own disk; start it without")
    return await api.download(path, limit)
