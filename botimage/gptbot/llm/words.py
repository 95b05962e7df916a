"""What of a server's own words may be said in a log: the names that its API has for errors, and no others.

A server may put anything into a field: a piece of the question, an id, the key. A word that no API is known to use is
left out, so that an unknown error loses a word, and nobody's text is told.
"""

from __future__ import annotations

from typing import Any, Final, Literal

_LEFT_OUT: Final = "a word of its own"
_LONGEST: Final = 64

# OpenAI ("Error codes", and `finish_reason` in its API reference), Azure, Anthropic, Gemini, OpenRouter, vLLM and
# llama.cpp.
_ERRORS: Final = """
400 401 402 403 404 405 408 409 413 415 422 425 429 500 501 502 503 504 520 521 522 523 524 529
api_error authentication_error badrequesterror bad_request billing_hard_limit_reached billing_not_active
content_filter content_policy_violation context_length_exceeded deploymentnotfound engine_overloaded
exceed_context_size_error failed_precondition internal internalservererror internal_error internal_server_error
insufficient_balance insufficient_quota invalid_api_key invalid_argument invalid_request invalid_request_error
invalid_value model_decommissioned model_not_active model_not_found moderation_blocked not_found not_found_error
notfounderror overloaded_error permission_denied permission_error quota_exceeded rate_limit_error
rate_limit_exceeded rate_limit_reached request_timeout requests resource_exhausted
responsibleaipolicyviolation server_error server_overloaded service_unavailable string_above_max_length
timeout timeout_error tokens too_many_requests toomanyrequests unauthenticated unauthorized unavailable
unavailable_error unknown_parameter unknown_url unsupported_country_region_territory unsupported_parameter
unsupported_value upstream_error validation_error
"""
OUT_OF_ROOM: Final = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})
"""A `finish_reason`, in lower case, that says that there was no room for more: OpenAI's, Gemini's, Mistral's."""
FILTERED: Final = frozenset({"content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii"})
"""The same where a content filter ended the answer: OpenAI's, Gemini's."""
CALLS: Final = frozenset({"tool_calls", "function_call", "tool_use"})
"""The same where the model wants something done, of which it was offered nothing."""
LENGTH: Final = "length"
"""The `finish_reason` of an answer that we end because it is as long as it may be, as the API has it."""
LOOP: Final = "loop"
"""The same of one that repeats itself; no API has it."""
_ENDS: Final = "end_turn eos error stop stop_sequence"
_TYPES: Final = """
application/json application/octet-stream application/problem+json application/x-ndjson application/xml
text/event-stream text/html text/plain text/xml
"""
_KNOWN_ERRORS: Final = frozenset(_ERRORS.split())
_KNOWN_ENDS: Final = frozenset(_ENDS.split()) | OUT_OF_ROOM | FILTERED | CALLS
_KNOWN_TYPES: Final = frozenset(_TYPES.split())


def error_word(value: Any) -> str | None:
    """A type or code of an error; None where there is none."""
    return _known(value, _KNOWN_ERRORS)


def ending(value: Any) -> str:
    """A `finish_reason`."""
    return _known(value, _KNOWN_ENDS) or "none"


def cut_short(reason: str | None) -> Literal["length", "filter", "loop"] | None:
    """Why an answer ended before its end, by its `finish_reason`: no room for more, a content filter, or a loop."""
    word = (reason or "").lower()
    if word == LOOP:
        return LOOP
    return "length" if word in OUT_OF_ROOM else "filter" if word in FILTERED else None


def content_type(value: str) -> str:
    """A media type."""
    return _known(value, _KNOWN_TYPES) or "no type"


def text_of(value: Any, most: int) -> str:
    """The beginning of a text, so many characters; nothing where it is none."""
    return value[:most] if isinstance(value, str) else ""


def _known(value: Any, words: frozenset[str]) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int) or value in ("", 0):
        return None
    word = value if isinstance(value, str) else str(value) if abs(value) < 10**9 else ""
    return word if word[:_LONGEST].lower() in words else _LEFT_OUT
