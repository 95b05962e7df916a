"""Files in a message of Discord: fetched by the message, so that neither their names nor their links are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import aiohttp
from yarl import URL

from gptbot.platforms.discord.contents import snapshots
from gptbot.platforms.discord.fields import fields, id_of, number, objects, word
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
    if not found and any(message.get("sticker_items") for message in (data, *snapshots(data))):
        found.append(Attachment(kind="other", mime="", size=None, reference={}))
    return *found, *readable(fields(data, "referenced_message"))


def readable(message: Mapping[str, Any], **where: str) -> list[Attachment]:
    """Files of another message that can be read; `where` goes into their references."""
    return [file for file in _files(message, **where) if file.kind != "other"]


def _files(data: Mapping[str, Any], **where: str) -> Iterator[Attachment]:
    """Those of a message, and of what it forwards: a link to them is told by the message that forwards them."""
    for file in (file for message in (data, *snapshots(data)) for file in objects(message, "attachments")):
        if not (key := id_of(file)) or not id_of(data):
            continue
        kind, mime = kind_of(word(file, "content_type") or None, word(file, "filename") or None)
        length = file.get("duration_secs")
        yield Attachment(
            kind=kind, mime=mime, size=number(file, "size") or None,
            seconds=length if isinstance(length, int | float) else None,
            reference={"message": id_of(data), "attachment": key, **where},
        )  # fmt: skip


async def fetch_attachment(
    rest: Rest, http: aiohttp.ClientSession, api: str, channel: str, reference: Mapping[str, Any], limit: int
) -> bytes:
    """The content of an attachment; `api` is `apiBaseUrl`, whose host may serve files too.

    Links are signed and run out after a day, so a new one is asked for. Raises TooLarge, Rejected, or SendError.
    """
    channel = reference.get("channel", channel)
    path = f"/channels/{channel}/messages/{reference['message']}"
    try:
        message: Any = await rest.request("GET", path, route=("message", channel), patience=_PATIENCE)
    except Refused as refused:
        raise Rejected(str(refused)) from None
    for each in (fields(message), *snapshots(message)):
        for file in objects(each, "attachments"):
            if id_of(file) == reference["attachment"]:
                if number(file, "size") > limit:
                    raise TooLarge(limit)
                return await download(http, _trusted(word(file, "url"), api), limit, _TIMEOUT)
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
