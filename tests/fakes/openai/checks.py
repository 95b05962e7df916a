"""What the API refuses, in its own words (https://platform.openai.com/docs/guides/error-codes)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tests.fakes.openai.families import check_family
from tests.fakes.openai.parts import IMAGE_TOKENS, check_parts
from tests.fakes.openai.record import images, message_text
from tests.fakes.openai.refusal import Refusal
from tests.fakes.openai.script import Settings

_ROLES = {"system", "developer", "user", "assistant", "tool"}
_FIELDS = {
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens",
    "max_tokens", "messages", "metadata", "modalities", "model", "n", "parallel_tool_calls", "prediction",
    "presence_penalty", "prompt_cache_key", "reasoning_effort", "response_format", "safety_identifier", "seed",
    "service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools",
    "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
}  # fmt: skip


def count_tokens(messages: list[dict[str, Any]]) -> int:
    """A token is four characters."""
    return sum(math.ceil(len(message_text(message)) / 4) + IMAGE_TOKENS * len(images(message)) for message in messages)


def check_key(settings: Settings, headers: Mapping[str, str]) -> None:
    """401 as the API has it, with the key half hidden in the text."""
    if settings.api_key is None:
        return
    given = headers.get("Authorization", "")
    if not given.startswith("Bearer "):
        text = "You didn't provide an API key. You need to provide your API key in an Authorization header."
        raise Refusal(401, text)
    key = given.removeprefix("Bearer ")
    if key not in (settings.api_key, *settings.other_keys):
        raise Refusal(401, f"Incorrect API key provided: {key[:8]}***{key[-4:]}.", code="invalid_api_key")


def check_request(settings: Settings, body: Any) -> None:
    """400 and 404 as the API has them."""
    if not isinstance(body, dict):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    for name in body:
        if name not in _FIELDS or (name == "stream_options" and not settings.stream_options):
            text = f"Unrecognized request argument supplied: {name}"
            raise Refusal(400, text, param=name if name == "stream_options" else None)
    _check_refused(settings, body)
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Refusal(400, "you must provide a model parameter")
    if settings.models is not None and model not in settings.models:
        text = f"The model `{model}` does not exist or you do not have access to it."
        raise Refusal(404, text, code="model_not_found")
    check_family(model, body)
    _check_messages(body.get("messages"), sees=model not in settings.blind)
    _check_template(settings, [message["role"] for message in body["messages"]])
    if body.get("stream_options") is not None and not body.get("stream"):
        text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Refusal(400, text, param="stream_options")
    for name, most in (("temperature", 2), ("top_p", 1)):
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise Refusal(400, f"Invalid type for '{name}': expected a decimal.", code="invalid_type", param=name)
        if value is not None and not 0 <= value <= most:
            code = "decimal_above_max_value" if value > most else "decimal_below_min_value"
            raise Refusal(400, f"Invalid '{name}': expected a value between 0 and {most}.", code=code, param=name)
    tokens = count_tokens(body["messages"]) + int(body.get("max_tokens") or body.get("max_completion_tokens") or 0)
    if tokens > settings.context_window:
        raise too_long(settings.context_window, tokens)


def _check_template(settings: Settings, roles: list[str]) -> None:
    """What the Jinja template of a model raises, as llama.cpp's server passes it on."""
    if settings.template == "any":
        return
    if roles[0] == "system":
        if settings.template == "gemma":
            raise Refusal(500, "System role not supported", "server_error")
        roles = roles[1:]
    if any(role != ("user", "assistant")[index % 2] for index, role in enumerate(roles)):
        text = "Conversation roles must alternate user/assistant/user/assistant/..."
        raise Refusal(500, text, "server_error")


def _check_refused(settings: Settings, body: dict[str, Any]) -> None:
    for name, how in settings.refused.items():
        if name not in body:
            continue
        if how == "fastapi":
            detail = [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}]
            raise Refusal(422, "", detail=detail)
        if how == "default_only":
            text = f"Unsupported value: '{name}' does not support {body[name]} with this model. Only the default (1) "
            raise Refusal(400, f"{text}value is supported.", code="unsupported_value", param=name)
        if how == "renamed":
            text = f"Unsupported parameter: '{name}' is not supported with this model. Use 'max_completion_tokens' "
            raise Refusal(400, f"{text}instead.", code="unsupported_parameter", param=None)
        text = f"Unrecognized request argument supplied: {name}"
        raise Refusal(400, text, param={"null": None, "empty": ""}.get(how, name))


def too_long(limit: int, tokens: int) -> Refusal:
    """The context does not take the messages."""
    text = (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} tokens. "
        "Please reduce the length of the messages."
    )
    return Refusal(400, text, code="context_length_exceeded", param="messages")


def _check_messages(messages: Any, *, sees: bool) -> None:
    if not isinstance(messages, list):
        raise Refusal(
            400, "Missing required parameter: 'messages'.", code="missing_required_parameter", param="messages"
        )
    if not messages:
        text = "Invalid 'messages': empty array. Expected an array with minimum length 1."
        raise Refusal(400, text, code="empty_array", param="messages")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise Refusal(400, f"Invalid value for '{where}.role'.", code="invalid_value", param=f"{where}.role")
        content = message.get("content")
        if isinstance(content, list):
            check_parts(content, f"{where}.content", message["role"], sees=sees)
        elif not isinstance(content, str):
            text = f"Invalid type for '{where}.content': expected one of a string or array of objects."
            raise Refusal(400, text, code="invalid_type", param=f"{where}.content")
        if set(message) - {"role", "content", "name", "tool_calls", "tool_call_id", "refusal"}:
            raise Refusal(400, f"Unknown parameter in '{where}'.", code="unknown_parameter", param=where)
