from __future__ import annotations

import datetime
import email.utils
from typing import Any

import openai
import orjson
import pytest
from openai import _constants

from gptbot.llm import client
from gptbot.llm.classify import from_body, from_response, retry_after
from gptbot.llm.errors import BadRequest, ContextTooLong
from gptbot.llm.types import Endpoint
from tests.fakes.openai import FakeOpenAI, Fault
from tests.llm.conftest import KEY

ENDPOINT = Endpoint("https://api.example.com/v1", KEY, "gpt-test")

LLAMA_CPP = {
    "code": 400,
    "type": "exceed_context_size_error",
    "message": "request (4031 tokens) exceeds the available context size (2048 tokens), try increasing it",
    "n_prompt_tokens": 4031,
    "n_ctx": 2048,
}
VLLM = {
    "object": "error",
    "code": 400,
    "type": "BadRequestError",
    "message": "This model's maximum context length is 2048 tokens. However, you requested 4031 tokens "
    "(3931 in the messages, 100 in the completion).",
}
AZURE = {"code": "content_filter", "message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}
OPENROUTER = "Your chosen model requires moderation and your input was flagged"


def e(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


GROQ = (
    "Request too large for model `llama` in organization `org_1` service tier `on_demand` on tokens per minute (TPM): "
    "Limit 1000, Requested 1168, please reduce your message size and try again."
)
_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "20.5s"}
GEMINI = e(
    "You exceeded your current quota, please check your plan and billing details.", code=429,
    status="RESOURCE_EXHAUSTED", details=[{"@type": "type.googleapis.com/google.rpc.QuotaFailure"}, _INFO],
)  # fmt: skip


# What servers were seen to send, by status.
ANSWERS: list[tuple[str, int, Any]] = [
    ("context_too_long", 400, e("x", type="invalid_request_error", code="context_length_exceeded")),
    ("context_too_long", 400, {"error": LLAMA_CPP}),
    ("context_too_long", 400, VLLM),
    ("context_too_long", 413, e("Request too large", code="rate_limit_exceeded")),
    ("context_too_long", 400, e("prompt is too long: 4031 tokens > 2048 maximum")),
    ("quota", 429, e("You exceeded your current quota", type="insufficient_quota", code=None)),
    ("quota", 402, e("Insufficient Balance", code="invalid_request_error")),  # DeepSeek
    ("context_too_long", 429, e(GROQ, type="tokens", code="rate_limit_exceeded")),
    ("overloaded", 429, GEMINI),
    ("overloaded", 429, [GEMINI]),
    ("overloaded", 429, e("You exceeded your current quota. Please retry in 20s.", status="RESOURCE_EXHAUSTED")),
    ("quota", 429, e("You exceeded your current quota. Please retry in 20s.", code="insufficient_quota")),
    ("overloaded", 429, e("Rate limit reached", type="tokens", code="rate_limit_exceeded")),
    ("overloaded", 529, e("Overloaded", type="overloaded_error")),
    ("overloaded", 502, "<html>502 Bad Gateway</html>"),
    ("overloaded", 503, e("Loading model", type="unavailable_error", code=503)),
    ("unauthorized", 401, e(f"Incorrect API key provided: {KEY}", code="invalid_api_key")),
    ("unauthorized", 400, e("API key not valid.", code=400, status="INVALID_ARGUMENT")),  # Gemini
    ("unauthorized", 403, e("no access", type="permission_error")),
    ("refused", 400, {"error": AZURE}),
    ("refused", 403, e(OPENROUTER, code=403)),
    ("not_found", 404, e("model 'x' not found", type="not_found_error")),  # Ollama
    ("not_found", 404, "404 page not found"),
    ("bad_request", 400, e("Unsupported value", param="temperature", code="unsupported_value")),
    ("bad_request", 422, {"detail": [{"loc": ["body", "temperature"], "msg": "too high"}]}),
    ("bad_request", 500, e("Conversation roles must alternate user/assistant/user/assistant/...", code=500)),
    ("bad_request", 400, e("System role not supported", type="BadRequestError")),
    ("bad_request", 400, e("Developer instruction is not enabled for models/gemma-3-27b-it", code=400)),
    ("bad_request", 400, e("Unsupported value: 'messages[0].role' does not support 'system' with this model.")),
    ("bad_request", 405, "Method Not Allowed"),
]
NO_SYSTEM = (
    "Conversation roles must alternate user/assistant/user/assistant/...", "System role not supported",
    "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
    "This model doesn't support system messages. Try again without a system message.",
    "Role 'system' is not supported", "the system role is unsupported",
    "Invalid value: 'system'. Supported values are: 'user', 'assistant'.",
)  # fmt: skip


@pytest.mark.parametrize("words", NO_SYSTEM)
def test_a_role_that_is_not_taken(words: str) -> None:
    error = from_response(ENDPOINT, 400, {}, orjson.dumps(e(words, param="messages[0].role")))
    assert isinstance(error, BadRequest)
    assert error.roles


def test_a_value_out_of_range_is_no_parameter_that_is_not_taken() -> None:
    words = "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"
    error = from_response(ENDPOINT, 400, {}, orjson.dumps(e(words)))
    assert isinstance(error, BadRequest)
    assert (error.parameter, error.value) == ("max_tokens", True)


@pytest.mark.parametrize(("kind", "status", "body"), ANSWERS)
def test_kinds(kind: str, status: int, body: Any) -> None:
    raw = body.encode() if isinstance(body, str) else orjson.dumps(body)
    error = from_response(ENDPOINT, status, {}, raw)
    assert error.kind == kind
    assert f"HTTP {status}" in str(error)
    assert KEY not in str(error)
    assert "Incorrect" not in str(error)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (GEMINI, 20.5),
        (e("Rate limit reached. Please try again in 7m12.5s."), 432.5),
        (e("Rate limit reached. Please try again in 640ms."), 0.64),
        (e("Rate limit reached. Please retry in 20s."), 20),
        (e("Rate limit reached", details=[7, {"retryDelay": 7}, {"retryDelay": "soon"}]), None),
    ],
)
def test_a_wait_is_read_where_no_header_has_it(body: Any, seconds: float | None) -> None:
    assert from_response(ENDPOINT, 429, {}, orjson.dumps(body)).retry_after == seconds
    assert from_response(ENDPOINT, 429, {"retry-after": "3"}, orjson.dumps(body)).retry_after == 3


def test_a_request_that_a_minute_has_no_room_for_is_too_long() -> None:
    for words in (GROQ, GROQ.replace("1000", "1,000").replace("1168", "1,168")):
        error = from_response(ENDPOINT, 429, {"retry-after": "60"}, orjson.dumps(e(words)))
        assert isinstance(error, ContextTooLong)
        assert (error.limit, error.requested) == (1000, 1168)


@pytest.mark.parametrize(("body", "requested"), [({"error": LLAMA_CPP}, 4031), (VLLM, 3931)])
def test_how_long_is_too_long(body: Any, requested: int) -> None:
    error = from_response(ENDPOINT, 400, {}, orjson.dumps(body))
    assert isinstance(error, ContextTooLong)
    assert (error.limit, error.requested) == (2048, requested)


@pytest.mark.parametrize(
    "words",
    [
        "Prompt contains 4031 tokens and 0 draft tokens, too large for model with 2048 maximum context length",
        "prompt is too long: 4031 tokens > 2048 maximum",
        "too many tokens: total number of tokens in the prompt cannot exceed 2048 - received 4031.",
        "This model's maximum prompt length is 2048 but the request contains 4031 tokens.",
        "Invalid request: Your request exceeded model token limit: 2048 (requested: 4031)",
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 2048]",
        "Range of input length should be [1,2048]",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 4031 `inputs` tokens",
        "Input validation error: `inputs` must have less than 2048 tokens. Given: 4031",
        "Requested input length 4031 exceeds maximum input length 2048",
        "The decoder prompt (length 4031) is longer than the maximum model length of 2048.",
        "The input (4031 tokens) is longer than the model's context length (2,048 tokens).",
    ],
)
def test_a_limit_is_read_however_it_is_told(words: str) -> None:
    error = from_response(ENDPOINT, 400, {}, orjson.dumps(e(words)))
    assert isinstance(error, ContextTooLong)
    assert error.limit == 2048


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "The server had an error", "type": "server_error"}, "overloaded"),
        ({"message": "x", "code": 429}, "overloaded"),
        ({"message": "x", "code": "context_length_exceeded"}, "context_too_long"),
        ("something went wrong", "overloaded"),
        (None, "overloaded"),
        ([1], "overloaded"),
    ],
)
def test_errors_in_mid_stream(error: Any, kind: str) -> None:
    assert from_body(ENDPOINT, error).kind == kind


def test_a_key_in_an_odd_place_stays_out() -> None:
    body = orjson.dumps({"error": {"message": "x", "type": KEY, "code": f"bad {KEY}", "param": KEY}})
    assert KEY not in str(from_response(ENDPOINT, 400, {}, body))


def test_retry_after() -> None:
    assert retry_after({}) is None
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": "7", "retry-after-ms": "1500"}) == 1.5
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "inf"}) is None
    in_a_minute = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=60)
    assert retry_after({"retry-after": email.utils.format_datetime(in_a_minute)}) == pytest.approx(60, abs=3)
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


def test_the_policy_of_retries_is_that_of_the_openai_package() -> None:
    assert client.MAX_RETRIES == _constants.DEFAULT_MAX_RETRIES
    assert client.INITIAL_RETRY_DELAY == _constants.INITIAL_RETRY_DELAY
    assert client.MAX_RETRY_DELAY == _constants.MAX_RETRY_DELAY


@pytest.mark.parametrize(
    ("fault", "theirs", "ours"),
    [
        ("rate_limited", openai.RateLimitError, "overloaded"),
        ("quota", openai.RateLimitError, "quota"),
        ("server_error", openai.InternalServerError, "overloaded"),
        ("conflict", openai.ConflictError, "overloaded"),
        ("unauthorized", openai.AuthenticationError, "unauthorized"),
        ("forbidden", openai.PermissionDeniedError, "unauthorized"),
        ("context_too_long", openai.BadRequestError, "context_too_long"),
        ("refused", openai.BadRequestError, "refused"),
        ("bad_parameter", openai.BadRequestError, "bad_request"),
        ("drop", openai.APIConnectionError, "unreachable"),
    ],
)
async def test_the_openai_package_sees_the_same(
    fake: FakeOpenAI, fault: Fault, theirs: type[openai.APIError], ours: str
) -> None:
    """The fake is read by the package as the API is, and what the package reads is classified as what we read."""
    fake.fail(fault)
    async with openai.AsyncOpenAI(base_url=fake.base_url, api_key=KEY, max_retries=0) as package:
        with pytest.raises(theirs) as caught:
            await package.chat.completions.create(model="gpt-test", messages=[{"role": "user", "content": "Hi"}])
    if isinstance(caught.value, openai.APIStatusError):
        response = caught.value.response
        error = from_response(ENDPOINT, response.status_code, response.headers, response.content)
        assert error.kind == ours
        assert type(caught.value) is theirs
