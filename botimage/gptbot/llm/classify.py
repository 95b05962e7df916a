"""From an API's answer to an error of ours. Status and codes are OpenAI's; the rest is what compatible servers send."""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Mapping
from typing import Any, cast

import orjson

from gptbot.llm.errors import (
    BadRequest,
    ContextTooLong,
    ModelError,
    ModelNotFound,
    Overloaded,
    QuotaExceeded,
    Refused,
    Unauthorized,
)
from gptbot.llm.types import Endpoint
from gptbot.llm.words import error_word, text_of

_MOST_WORDS = 2000
"""Characters of an error's message that are looked at."""
_LONGEST_CODE = 64
_CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
# vLLM, Groq, Gemini, Anthropic, OpenRouter and others have only words for it.
_CONTEXT_WORDS = re.compile(
    r"context (?:length|window|size)|maximum (?:context|number of tokens|(?:prompt|input|model) length)"
    r"|prompt is too long|too many (?:input )?tokens|input is too long|reduce the length|input length should be"
    r"|prompt\b.{0,40}exceeds? .{0,20}max|exceed(?:s|ed)? .{0,40}(?:context|token (?:count|limit)|limit of \d+ tokens)"
    r"|`inputs`.{0,40}must (?:be <=|have less than)",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(
    r"(?:request )?too large\b.{0,200}?\blimit:? (\d{1,9}),.{0,60}?\brequested:? (\d{1,9})", re.I | re.S
)
"""OpenAI's and Groq's, where one request has more tokens than a minute may have."""
_WAIT_WORDS = re.compile(
    r"(?:retry|try again) (?:in|after) (?:(\d{1,4})m)?(\d{1,6}(?:\.\d{1,9})?)(m?s)\b", re.IGNORECASE
)
"""OpenAI's, Groq's and Gemini's: `in 20s`, `in 7m12.5s`, `in 640ms`."""
_DELAY = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s")
"""A `google.protobuf.Duration` in JSON."""
_QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"}
_QUOTA_WORDS = re.compile(
    r"exceeded your current quota|insufficient (balance|credit|funds)|credit balance", re.IGNORECASE
)
_FILTER_CODES = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "moderation_blocked"}
_FILTER_WORDS = re.compile(r"content management policy|content policy|flagged|moderation", re.IGNORECASE)
_KEY_WORDS = re.compile(r"api[ _-]?key", re.IGNORECASE)
_MODEL_CODES = {"model_not_found", "model_not_active", "model_decommissioned"}
_REFUSING_WORDS = re.compile(
    r"unrecogni[sz]ed|unsupported|not support|n't support|unknown|unexpected|not permitted|not allowed|invalid"
    r"|deprecated|additional propert|extra (?:input|field)|not a valid",
    re.IGNORECASE,
)
"""What is said of a parameter that is not taken."""
_ROLE_WORDS = re.compile(
    r"roles must alternate|system\W{0,3}(?:role|message|prompt|instruction)s?\W{1,3}(?:is |are )?(?:unsupported|not"
    r" (?:supported|enabled|allowed))|role\W{1,4}system\W{1,4}(?:is |are )?(?:unsupported|not (?:supported|allowed))"
    r"|developer instruction is not enabled|invalid value\W{1,4}system\W{1,4}supported values"
    r"|only user\W{0,3}(?:and|,) (?:assistant|model)[ ,a-z]{0,20} roles"
    r"|does(?: not|n.t) support (?:the )?['\"]?system|(?:unexpected|unsupported|unknown|invalid) role\W{0,4}system",
    re.IGNORECASE,
)
"""Templates of Gemma and Mistral, as vLLM (400) and llama.cpp (500) pass them on; Gemini's API; o1-mini."""
_RANGE_WORDS = re.compile(
    r"between|at (?:most|least)|(?:less|greater) than|out of range|valid range|(?:max|min)imum", re.IGNORECASE
)
"""What is said of a value, where the parameter is taken."""
_COMMON = frozenset({"messages", "model", "stream"})
"""Fields whose names are in messages about other things as well."""
_MOST_DETAILS = 20
_WORD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}\Z")
_LIMIT = re.compile(
    r"(\d{3,9}) maximum\b|(?:cannot exceed|must be <=|must have less than|length should be \[\d{1,9},) ?(\d{3,9})"
    r"|(?:maximum|limit|context (?:length|size|window))\D{0,60}?(\d{3,9})",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_IN_MESSAGES = re.compile(r"(\d{1,9}) (?:tokens )?(?:in|from) (?:the )?(?:messages|prompt|input)", re.IGNORECASE)
"""vLLM's and OpenAI's, where the count before it has the answer's bound in it."""
_REQUESTED = re.compile(
    r"(?:requested|resulted in|contains|prompt is|request has|you passed|has)\D{0,40}?(\d{3,9})", re.IGNORECASE
)


def from_response(endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """The error that an answer with a status of 300 and more is."""
    try:
        parsed: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = body[:_MOST_WORDS].decode(errors="replace")
    if isinstance(parsed, list) and parsed:  # Gemini
        parsed = cast("list[Any]", parsed)[0]
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
    return _classify(endpoint, status, error, retry_after(headers))


def from_body(endpoint: Endpoint, error: Any) -> ModelError:
    """The error that an error object in a stream is; it has no status but what its `code` may say."""
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 0
    return _classify(endpoint, status, error, None)


def usage_in(body: bytes) -> Any:
    """What an error says that the request cost all the same, as the API sends it."""
    if b'"usage"' not in body:
        return None
    try:
        parsed: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return parsed.get("usage") if isinstance(parsed, dict) else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait from `retry-after-ms` or `Retry-After` (RFC 9110, 10.2.3: seconds or a date)."""
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / divisor
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        when = email.utils.parsedate_to_datetime(headers["retry-after"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return max(0.0, when - time.time())


def _classify(endpoint: Endpoint, status: int, error: Any, wait: float | None) -> ModelError:
    fields: dict[str, Any] = error if isinstance(error, dict) else {"message": error}
    codes = {text_of(fields.get(name), _LONGEST_CODE).lower() for name in ("code", "type", "status")}
    inner = fields.get("innererror")  # Azure
    if isinstance(inner, dict):
        codes.add(text_of(inner.get("code"), _LONGEST_CODE).lower())
    if isinstance(message := fields.get("message"), dict):  # Mistral: FastAPI's body within an error object
        fields = {**fields, "detail": cast("dict[str, Any]", message).get("detail")}
    words = text_of(message, _MOST_WORDS) or text_of(fields.get("detail"), _MOST_WORDS)
    model, path = endpoint.model, endpoint.path
    said = _said(status, fields)

    if wait is None:
        wait = _wait_in(fields, words)
    if status == 429 and (found := _TOO_LARGE.search(_THOUSANDS.sub("", words))) is not None:
        text = f"the conversation is larger than {model} takes at once ({said}): lower spec.llm.contextWindow"
        return ContextTooLong(text, limit=int(found[1]), requested=int(found[2]), retry_after=wait)
    passing = status == 429 and wait is not None and not codes & _QUOTA_CODES
    if passing or (wait is not None and "resource_exhausted" in codes):
        return Overloaded(f"the API of {model} limits requests for now ({said})", retry_after=wait)
    if codes & _QUOTA_CODES or status == 402 or _QUOTA_WORDS.search(words):
        text = f"the account for {model} is out of quota ({said}): look at its billing"
        return QuotaExceeded(text, retry_after=wait)
    if codes & _CONTEXT_CODES or (status in (0, 400, 413, 422, 500) and _CONTEXT_WORDS.search(words)) or status == 413:
        limit = _number(fields.get("n_ctx")) or _found(_LIMIT, words)
        requested = _number(fields.get("n_prompt_tokens")) or _found(_IN_MESSAGES, words) or _found(_REQUESTED, words)
        text = f"the conversation does not fit into the context of {model} ({said}): lower spec.llm.contextWindow"
        return ContextTooLong(text, limit=limit, requested=requested, retry_after=wait)
    if codes & _FILTER_CODES or (status in (0, 400, 403) and _FILTER_WORDS.search(words)):
        return Refused(f"the content filter of {model} refuses the question ({said})")
    if status in (401, 407) or "invalid_api_key" in codes or (status in (0, 400, 403) and _KEY_WORDS.search(words)):
        return Unauthorized(f"the API of {model} refuses the key ({said}): check {path}.apiKeySecretRef")
    if status == 403 or "permission_error" in codes:
        return Unauthorized(f"the API does not let this key use {model} ({said}): check its rights and its region")
    if status == 404 or codes & _MODEL_CODES:
        text = f"no model {model!r} at {endpoint.address} ({said}): check {path}.model and {path}.baseUrl"
        return ModelNotFound(text)
    if status in (0, 400, 422, 500) and _ROLE_WORDS.search(words) is not None:
        text = f"the template of {model} does not take the messages ({said}): look for another one of its server's"
        return BadRequest(text, roles=True)
    if status in (408, 409, 425, 429) or status >= 500 or status == 0:
        return Overloaded(f"the API of {model} cannot answer now ({said})", retry_after=wait)
    if 300 <= status < 400:
        return BadRequest(f"{endpoint.address} redirects ({said}): set {path}.baseUrl to where the API is")
    parameter = _parameter(endpoint, fields, words)
    hint = f"it complains of {parameter!r}: " if parameter in _sent(endpoint) else ""
    return BadRequest(
        f"the API of {model} does not take the request ({said}): {hint}check spec.llm.parameters",
        parameter=parameter, value=_RANGE_WORDS.search(words) is not None,
    )  # fmt: skip


def _wait_in(fields: Mapping[str, Any], words: str) -> float | None:
    """Seconds to wait by Google's `RetryInfo` or by the message, where no header says it."""
    details = fields.get("details")
    for item in cast("list[Any]", details)[:_MOST_DETAILS] if isinstance(details, list) else []:
        delay = cast("dict[str, Any]", item).get("retryDelay") if isinstance(item, dict) else None
        if isinstance(delay, str) and (found := _DELAY.fullmatch(delay)) is not None:
            return float(found[1])
    if (said := _WAIT_WORDS.search(words)) is None:
        return None
    return int(said[1] or 0) * 60 + float(said[2]) / (1000 if said[3].lower() == "ms" else 1)


def _parameter(endpoint: Endpoint, fields: Mapping[str, Any], words: str) -> str | None:
    """The parameter that is complained of: by `param`, by FastAPI's `loc`, or by what the message names first."""
    if (parameter := _word(fields.get("param"))) is not None:
        return parameter
    detail = fields.get("detail")
    for item in cast("list[Any]", detail)[:_MOST_DETAILS] if isinstance(detail, list) else []:
        where = cast("dict[str, Any]", item).get("loc") if isinstance(item, dict) else None
        if isinstance(where, list) and len(places := cast("list[Any]", where)) > 1 and places[0] == "body":
            return _word(places[1])
    if _REFUSING_WORDS.search(words) is None:
        return None
    said = [(found.start(), name) for name in _sent(endpoint) - _COMMON if (found := _named(name, words)) is not None]
    return min(said)[1] if said else None


def _named(name: str, words: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words)


def _said(status: int, fields: Mapping[str, Any]) -> str:
    """Status, type and code; never the message, which can repeat the key or the prompt."""
    parts = [f"HTTP {status}" if status else "in mid-stream"]
    parts += [word for name in ("type", "code") if (word := error_word(fields.get(name))) and word != str(status)]
    return ", ".join(parts)


def _sent(endpoint: Endpoint) -> set[str]:
    """The parameters of a request: these names are ours, or the owner's."""
    return {
        *endpoint.fields(),
        "messages",
        "model",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
    }


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and _WORD.match(value) else None


def _number(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _found(pattern: re.Pattern[str], words: str) -> int | None:
    match = pattern.search(_THOUSANDS.sub("", words))
    return int(match[match.lastindex or 0]) if match else None
