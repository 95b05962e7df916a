"""What OpenAI's models refuse, by their names: those that think choose their words themselves.

From the guide "Using GPT-5" (parameter compatibility) and the API reference of Chat Completions, in the API's words.
"""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.openai.refusal import Refusal

KNOWN = [
    "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-5", "gpt-5-mini", "gpt-5-nano",
    "gpt-5-chat-latest", "gpt-5.1", "gpt-5.2", "o3", "o3-mini", "o4-mini",
]  # fmt: skip
"""Models of Chat Completions, without those of a date."""
_THINKS = re.compile(r"(?:gpt-5|o[134])(?![0-9])")
_NEED_NOT_THINK = re.compile(r"gpt-5\.[0-9]+")
_NEVER_THINKS = re.compile(r"(?:gpt-5[0-9.]*-chat|gpt-3|gpt-4)")
_ONE = ("temperature", "top_p")
_ZERO = ("presence_penalty", "frequency_penalty")
_NONE = ("logprobs", "top_logprobs", "logit_bias", "stop")


def check_family(model: str, body: dict[str, Any]) -> None:
    """Raise Refusal as the API does for the model of that name; servers' own names (`qwen3:4b`) take everything."""
    if _NEVER_THINKS.match(model):
        if "reasoning_effort" in body:
            raise Refusal(400, "Unrecognized request argument supplied: reasoning_effort")
        return
    if not _THINKS.match(model):
        return
    if body.get("max_tokens") is not None:
        raise _unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
    if _NEED_NOT_THINK.match(model) and body.get("reasoning_effort", "none") == "none":
        return
    for names, default in ((_ONE, 1), (_ZERO, 0)):
        for name in names:
            value = body.get(name)
            if value is not None and value != default:
                text = f"Unsupported value: '{name}' does not support {value} with this model."
                text += f" Only the default ({default}) value is supported."
                raise Refusal(400, text, code="unsupported_value", param=name)
    for name in _NONE:
        if body.get(name):
            raise _unsupported(name)


def _unsupported(name: str, more: str = "") -> Refusal:
    text = f"Unsupported parameter: '{name}' is not supported with this model.{more}"
    return Refusal(400, text, code="unsupported_parameter", param=name)
