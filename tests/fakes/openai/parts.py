"""Parts of a message's content: texts and images (platform.openai.com/docs/guides/images-vision)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from tests.fakes.openai.refusal import Refusal

_DATA = re.compile(r"data:image/(png|jpeg|webp|gif);base64,([A-Za-z0-9+/=]+)\Z")
_BEGINNINGS = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF", "gif": b"GIF8"}
_DETAILS = ("low", "high", "auto")
IMAGE_TOKENS = 765
"""What an image costs here."""


def check_parts(parts: list[Any], where: str, role: str, *, sees: bool) -> None:
    """Raise Refusal as the API does; `sees`: whether the model takes images."""
    if not parts:
        raise Refusal(400, f"Invalid '{where}': empty array.", code="empty_array", param=where)
    for index, part in enumerate(parts):
        at = f"{where}[{index}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text":
            if set(part) != {"type", "text"} or not isinstance(part["text"], str):
                raise Refusal(400, f"Invalid value for '{at}.text'.", code="invalid_type", param=at)
        elif kind == "image_url":
            _check_image(part, at, role, sees=sees)
        else:
            text = f"Invalid value: '{kind}'. Supported values are: 'text', 'image_url', 'input_audio' and 'file'."
            raise Refusal(400, text, code="invalid_value", param=f"{at}.type")


def _check_image(part: dict[str, Any], at: str, role: str, *, sees: bool) -> None:
    if role != "user":
        text = f"Invalid '{at}'. Image URLs are only allowed for messages with role 'user'."
        raise Refusal(400, text, code="invalid_value", param=at)
    if not sees:
        text = "Invalid content type. image_url is only supported by certain models."
        raise Refusal(400, text, param=f"{at}.type")
    shown = part.get("image_url")
    if set(part) != {"type", "image_url"} or not isinstance(shown, dict) or set(shown) - {"url", "detail"}:
        raise Refusal(400, f"Invalid type for '{at}.image_url': expected an object.", code="invalid_type", param=at)
    if shown.get("detail", "auto") not in _DETAILS:
        raise Refusal(400, f"Invalid value for '{at}.image_url.detail'.", code="invalid_value", param=at)
    if image_of(part) is None:
        text = "You uploaded an unsupported image. Please make sure your image is valid."
        raise Refusal(400, text, code="invalid_image_format", param=at)


def image_of(part: dict[str, Any]) -> bytes | None:
    """The image in a part; None when it is none of a type that the API takes, or not what its type says."""
    found = _DATA.match(str(part["image_url"].get("url")))
    if found is None:
        return None
    try:
        content = base64.b64decode(found[2], validate=True)
    except binascii.Error:
        return None
    return content if content.startswith(_BEGINNINGS[found[1]]) else None
