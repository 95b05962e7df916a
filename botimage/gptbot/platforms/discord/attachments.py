"""Files in a message of Discord: fetched by the message, so that neither their names nor their links are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import aiohttp
from yarl import URL

from gptbot.platforms.discord.rest import Refused, Rest
from gptbot.platforms.download import download
from gptbot.platforms.errors import Rejected, TooLarge
from gptbot.platforms.inbound import Attachment
from gptbot.platforms.kinds import kind_of

_HOSTS: Final = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Where Discord keeps files (docs/reference, "Signed Attachment CDN URLs")."""
_TIMEOUT: Final = 60.0
_PATIENCE: Final = 5.0


def attachments(data: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """What a message carries (docs/resources/message, "Attachment Object"), and what can be read of what it replies to.

    A sticker is something that cannot be read.
    """
    found = [*_files(data)]
    if data.get("sticker_items") and not found:
        found.append(Attachment(kind="other", mime="", size=None, reference={}))
    replied = data.get("referenced_message") or {}
    if replied and not (replied.get("author") or {}).get("bot"):
        found += [file for file in _files(replied) if file.kind != "other"]
    return tuple(found)


def _files(data: Mapping[str, Any]) -> Iterator[Attachment]:
    for file in data.get("attachments") or ():
        kind, mime = kind_of(file.get("content_type"), file.get("filename"))
        yield Attachment(
            kind=kind, mime=mime, size=file.get("size"), seconds=file.get("duration_secs"),
            reference={"message": data["id"], "attachment": file["id"]},
        )  # fmt: skip


async def fetch_attachment(
    rest: Rest, http: aiohttp.ClientSession, api: str, channel: str, reference: Mapping[str, Any], limit: int
) -> bytes:
    """The content of an attachment; `api` is `apiBaseUrl`, whose host may serve files too.

    Links are signed and run out after a day, so a new one is asked for. Raises TooLarge, Rejected, or SendError.
    """
    path = f"/channels/{channel}/messages/{reference['message']}"
    try:
        message: Any = await rest.request("GET", path, route=("message", channel), patience=_PATIENCE)
    except Refused as refused:
        raise Rejected(str(refused)) from None
    for file in message.get("attachments") or ():
        if file["id"] == reference["attachment"]:
            if int(file.get("size") or 0) > limit:
                raise TooLarge(limit)
            return await download(http, _trusted(str(file.get("url")), api), limit, _TIMEOUT)
    raise Rejected("the file is not there any more")


def _trusted(url: str, api: str) -> str:
    """The address, if it is Discord's: nothing else in the network is fetched, whatever a message says."""
    try:
        target = URL(url)
        own = target.origin() == URL(api).origin()
    except ValueError:
        raise Rejected("Discord names no address of the file") from None
    if own or (target.scheme == "https" and target.host in _HOSTS):
        return url
    raise Rejected("Discord names an address of the file that is not its own")
