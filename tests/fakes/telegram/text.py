"""Texts as Telegram takes them: UTF-16 lengths, trimming, entities that must fit their text.

Errors are those of TDLib (`td/telegram/MessageEntity.cpp`) and of the Bot API server (`Client.cpp`).
"""

from __future__ import annotations

import re
from typing import Any, cast

from tests.fakes.telegram.state import Json, bad_request

MAX_TEXT = 4096
_MAX_BYTES = 1 << 15
_TYPES = {
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold", "italic", "underline",
    "strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "text_mention",
    "custom_emoji", "date_time",
}  # fmt: skip
_FOUND_BY_THE_SERVER = {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"}
_MENTION = re.compile(r"(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}(?!\w)")
_COMMAND = re.compile(r"(?<![\w/@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) >> 1


def check_size(text: str) -> None:
    """Refuse what the server does not even parse."""
    if len(text.encode()) > _MAX_BYTES:
        raise bad_request("text is too long")


def read_entities(value: Any) -> list[Json]:
    """`entities` of a request. What is no entity at all is refused; a type that is unknown is passed over."""
    if not isinstance(value, list):
        return []
    read: list[Json] = []
    for item in cast("list[Any]", value):
        if not isinstance(item, dict):
            raise bad_request("can't parse MessageEntity: expected an Object")
        entity = cast(Json, item)
        for name in ("offset", "length"):
            if not isinstance(entity.get(name), int):
                raise bad_request(f'can\'t parse MessageEntity: Field "{name}" must be of type Number')
        kind = entity.get("type")
        if kind in _FOUND_BY_THE_SERVER or kind not in _TYPES:
            continue
        if kind == "text_link" and not isinstance(entity.get("url"), str):
            raise bad_request("can't parse MessageEntity: Can't find field \"url\"")
        read.append(entity)
    return read


def fit(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Check that entities fit the text, then trim both as TDLib does."""
    starts = _unit_offsets(text)
    total = utf16_length(text)
    for entity in entities:
        offset, length = entity["offset"], entity["length"]
        if not 0 <= offset <= 1_000_000:
            raise bad_request(f"receive an entity with incorrect offset {offset}")
        if not 0 <= length <= 1_000_000:
            raise bad_request(f"receive an entity with incorrect length {length}")
        end = offset + length
        if offset > total:
            raise bad_request(f"entity begins after the end of the text at UTF-16 offset {offset}")
        if end > total:
            raise bad_request(
                f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {end}"
            )
        if starts is not None and offset not in starts:
            raise bad_request(f"entity begins in a middle of a UTF-16 symbol at UTF-16 offset {offset}")
        if starts is not None and end not in starts:
            raise bad_request(f"entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol")
    cleaned = text.replace("\r", "") if not entities else text
    return _trim(cleaned, entities)


def _unit_offsets(text: str) -> set[int] | None:
    """Offsets at which a character begins or the text ends; None when that is every offset."""
    if all(ord(character) < 0x10000 for character in text):
        return None
    offsets: set[int] = {0}
    place = 0
    for character in text:
        place += 2 if ord(character) > 0xFFFF else 1
        offsets.add(place)
    return offsets


def _trim(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Cut white space off the end, and off the beginning up to the first entity."""
    first = min((entity["offset"] for entity in entities if entity["length"]), default=len(text))
    cut = min(len(text) - len(text.lstrip()), first)
    trimmed = text[cut:].rstrip()
    total = utf16_length(trimmed)
    kept: list[Json] = []
    for entity in entities:
        offset = entity["offset"] - cut
        length = min(entity["length"], total - offset)
        if length > 0:
            kept.append({**entity, "offset": offset, "length": length})
    kept.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return trimmed, kept


def found_by_the_server(text: str) -> list[Json]:
    """Mentions and commands, which the server marks in what people write."""
    found = [
        {"type": kind, "offset": utf16_length(text[: match.start()]), "length": utf16_length(match[0])}
        for kind, pattern in (("mention", _MENTION), ("bot_command", _COMMAND))
        for match in pattern.finditer(text)
    ]
    return sorted(found, key=lambda entity: entity["offset"])


def covered(text: str, entity: Json) -> str:
    """The part of the text that an entity is about."""
    units = text.encode("utf-16-le")
    return units[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2].decode("utf-16-le", "replace")
