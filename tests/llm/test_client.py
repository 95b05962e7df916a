from __future__ import annotations

import asyncio
import dataclasses

import pytest
from prometheus_client import REGISTRY

from gptbot.llm.client import ModelClient
from gptbot.llm.errors import BadRequest, BadStream, ModelError, NoText, Overloaded, TookTooLong, Unreachable
from gptbot.llm.types import Endpoint, Message
from tests.fakes.openai import FakeOpenAI, Fault
from tests.llm.conftest import KEY, MakeClient

HELLO: list[Message] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello there"}]
LONG = "".join(f"word{number} " for number in range(500))
ANSWER = "You said (2 messages): Hello there"


def requests_total(outcome: str, model: str = "gpt-test") -> float:
    return REGISTRY.get_sample_value("gptbot_llm_requests_total", {"model": model, "outcome": outcome}) or 0.0


async def test_the_text_comes_as_it_is_made_and_whole(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.say("one two three four five", tokens_per_second=50)
    parts: list[str] = []
    completion = await make_client(interval=0.0).stream(HELLO, parts.append)
    assert completion.text == "".join(parts) == "one two three four five"
    assert len(parts) > 1
    assert (completion.finish_reason, completion.model) == ("stop", "gpt-test")
    assert (completion.prompt_tokens, completion.completion_tokens) == (6, 5)


async def test_parameters_are_passed_on(fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint) -> None:
    client = make_client(dataclasses.replace(endpoint, parameters={"temperature": 0.5, "max_tokens": 20}))
    await client.stream(HELLO, lambda text: None)
    body = fake.requests[0].body
    assert body == {
        "model": "gpt-test", "messages": HELLO, "stream": True, "stream_options": {"include_usage": True},
        "temperature": 0.5, "max_tokens": 20,
    }  # fmt: skip


async def test_text_that_comes_quickly_is_given_out_in_lumps(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.say(" ".join(["word"] * 60), tokens_per_second=200)
    parts: list[str] = []
    await make_client(interval=0.1).stream(HELLO, parts.append)
    assert len(parts) < 15


async def test_an_answer_in_one_piece(fake: FakeOpenAI, make_client: MakeClient) -> None:
    completion = await make_client().complete(HELLO)
    assert completion.text == ANSWER
    assert completion.prompt_tokens == 6
    assert fake.requests[0].body["stream"] is False
    assert "stream_options" not in fake.requests[0].body


async def test_json_in_place_of_a_stream_is_taken(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.fail("json")
    parts: list[str] = []
    assert (await make_client().stream(HELLO, parts.append)).text == ANSWER
    assert parts == [ANSWER]


@pytest.mark.parametrize("fault", ["no_done", "open_end"])
async def test_a_stream_with_an_odd_end_is_whole(fake: FakeOpenAI, make_client: MakeClient, fault: Fault) -> None:
    fake.fail(fault)
    assert (await make_client().stream(HELLO, lambda text: None)).text == ANSWER


async def test_the_connection_is_used_again(fake: FakeOpenAI, make_client: MakeClient) -> None:
    client = make_client()
    for _ in range(3):
        await client.stream(HELLO, lambda text: None)
    assert client._http.connector is not None
    assert [len(pool) for pool in client._http.connector._conns.values()] == [1]


@pytest.mark.parametrize(
    ("fault", "kind", "retryable"),
    [
        ("rate_limited", "overloaded", True),
        ("server_error", "overloaded", True),
        ("overloaded", "overloaded", True),
        ("timeout", "overloaded", True),
        ("conflict", "overloaded", True),
        ("quota", "quota", False),
        ("unauthorized", "unauthorized", False),
        ("forbidden", "unauthorized", False),
        ("context_too_long", "context_too_long", False),
        ("refused", "refused", False),
        ("filtered", "refused", False),
        ("empty", "empty", True),
        ("bad_parameter", "bad_request", False),
        ("redirect", "bad_request", False),
        ("drop", "unreachable", True),
        ("html", "bad_stream", True),
    ],
)
@pytest.mark.parametrize("streaming", [True, False])
async def test_faults_before_the_first_text(
    fake: FakeOpenAI, make_client: MakeClient, fault: Fault, kind: str, retryable: bool, streaming: bool
) -> None:
    fake.fail(fault, times=None)
    client, parts, before = make_client(), list[str](), requests_total(kind)
    with pytest.raises(ModelError) as caught:
        await (client.stream(HELLO, parts.append) if streaming else client.complete(HELLO))
    error = caught.value
    assert (error.kind, error.retryable, error.text, parts) == (kind, retryable, "", [])
    assert len(fake.requests) == (3 if retryable else 1)
    assert requests_total(kind) == before + len(fake.requests)
    for secret in (KEY, KEY[:8], "Hello", "Be brief"):
        assert secret not in str(error)


@pytest.mark.parametrize("fault", ["reset", "cut", "ended", "broken", "error_event"])
async def test_faults_in_mid_answer_keep_the_text(fake: FakeOpenAI, make_client: MakeClient, fault: Fault) -> None:
    fake.say("one two three four five six", fault=fault, after_tokens=4, tokens_per_second=50)
    parts: list[str] = []
    with pytest.raises(ModelError) as caught:
        await make_client(interval=0.0).stream(HELLO, parts.append)
    assert caught.value.kind == ("overloaded" if fault == "error_event" else "bad_stream")
    assert caught.value.text == "".join(parts) == "one two three four"
    assert "one two" not in str(caught.value)
    assert len(fake.requests) == 1  # never again: the user has read half of it


@pytest.mark.parametrize("fault", ["reset", "cut", "ended", "broken", "error_event"])
async def test_faults_in_a_stream_before_its_first_text_are_retried(
    fake: FakeOpenAI, make_client: MakeClient, fault: Fault
) -> None:
    fake.fail(fault, after_tokens=0)
    parts: list[str] = []
    assert (await make_client().stream(HELLO, parts.append)).text == ANSWER
    assert "".join(parts) == ANSWER


async def test_silence_is_a_timeout(fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint) -> None:
    fake.say("one two three", fault="stall", after_tokens=2)
    client = make_client(dataclasses.replace(endpoint, timeout=1.0, stall=1.0))
    with pytest.raises(ModelError) as caught:
        await client.stream(HELLO, lambda text: None)
    assert (caught.value.kind, caught.value.text) == ("timeout", "one two")
    await asyncio.wait_for(fake.requests[0].ended.wait(), 5)
    assert fake.requests[0].outcome == "aborted"


async def test_a_slow_answer_that_goes_on_is_no_timeout(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint
) -> None:
    fake.say("one two three four five six", tokens_per_second=3)
    client = make_client(dataclasses.replace(endpoint, timeout=1.2, stall=1.2))
    assert (await client.stream(HELLO, lambda text: None)).text.endswith("six")


@pytest.mark.parametrize("script", [{"fault": "hang"}, {"first_token_delay": 30.0}])
async def test_no_first_token_is_a_timeout_and_not_tried_again(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint, script: dict[str, object]
) -> None:
    fake.say("late", **script)
    with pytest.raises(ModelError, match=r"sent no token for 0\.5 s") as caught:
        await make_client(dataclasses.replace(endpoint, timeout=0.5)).stream(HELLO, lambda text: None)
    assert (caught.value.kind, caught.value.retryable) == ("timeout", True)
    assert len(fake.requests) == 1


async def test_nobody_there(make_client: MakeClient, endpoint: Endpoint) -> None:
    client = make_client(dataclasses.replace(endpoint, base_url="http://user:secret@127.0.0.1:9/v1"))
    with pytest.raises(Unreachable, match=r"^http://127\.0\.0\.1:9/v1 cannot be reached: ") as caught:
        await client.stream(HELLO, lambda text: None)
    assert "secret" not in str(caught.value)


async def test_the_wrong_key(fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint) -> None:
    with pytest.raises(ModelError, match="apiKeySecretRef") as caught:
        await make_client(dataclasses.replace(endpoint, api_key="sk-other-key-9876")).complete(HELLO)
    assert caught.value.kind == "unauthorized"
    assert "sk-" not in str(caught.value)
    assert "sk-" not in repr(endpoint)


async def test_an_unknown_model(make_client: MakeClient, endpoint: Endpoint) -> None:
    with pytest.raises(ModelError, match=r"no model 'gpt-none' at http.*model_not_found") as caught:
        await make_client(dataclasses.replace(endpoint, model="gpt-none")).stream(HELLO, lambda text: None)
    assert caught.value.kind == "not_found"


async def test_retry_after_is_waited_for(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.fail("rate_limited", retry_after=0.6)
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert (await make_client().stream(HELLO, lambda text: None)).text == ANSWER
    assert loop.time() - started >= 0.6


async def test_a_long_retry_after_is_left_to_the_caller(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.fail("rate_limited", retry_after=30)
    with pytest.raises(Overloaded) as caught:
        await make_client().stream(HELLO, lambda text: None)
    assert caught.value.retry_after == 30
    assert len(fake.requests) == 1


async def test_retries_end(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.fail("server_error", times=2)
    assert (await make_client().stream(HELLO, lambda text: None)).text == ANSWER
    assert len(fake.requests) == 3


async def test_the_fallback_answers(fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint) -> None:
    other = dataclasses.replace(endpoint, model="gpt-other", timeout=5.0)
    fake.fail("quota", model="gpt-test", times=None)
    completion = await make_client(endpoint, other).stream(HELLO, lambda text: None)
    assert (completion.text, completion.model) == (ANSWER, "gpt-other")
    assert [request.body["model"] for request in fake.requests] == ["gpt-test", "gpt-other"]


async def test_the_error_of_the_first_endpoint_is_the_one_told(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint
) -> None:
    other = dataclasses.replace(endpoint, model="gpt-other")
    fake.fail("quota", model="gpt-test", times=None)
    fake.fail("server_error", model="gpt-other", times=None)
    with pytest.raises(ModelError) as caught:
        await make_client(endpoint, other).stream(HELLO, lambda text: None)
    assert caught.value.kind == "quota"
    assert len(fake.requests) == 4


@pytest.mark.parametrize("fault", ["context_too_long", "refused"])
async def test_no_fallback_for_what_is_wrong_with_the_messages(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint, fault: Fault
) -> None:
    fake.fail(fault)
    with pytest.raises(ModelError):
        await make_client(endpoint, endpoint).stream(HELLO, lambda text: None)
    assert len(fake.requests) == 1


async def test_no_fallback_after_the_first_text(fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint) -> None:
    fake.say("one two three", fault="reset", after_tokens=2, tokens_per_second=20)
    with pytest.raises(BadStream):
        await make_client(endpoint, endpoint).stream(HELLO, lambda text: None)
    assert len(fake.requests) == 1


async def test_a_server_without_stream_options_gets_none(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.settings.stream_options = False
    client = make_client()
    for _ in range(2):
        completion = await client.stream(HELLO, lambda text: None)
        assert (completion.text, completion.prompt_tokens) == (ANSWER, None)
    assert ["stream_options" in request.body for request in fake.requests] == [True, False, False]


async def test_a_wrong_parameter_is_named(make_client: MakeClient, endpoint: Endpoint) -> None:
    with pytest.raises(BadRequest, match="complains of 'temperature'") as caught:
        await make_client(dataclasses.replace(endpoint, parameters={"temperature": 3})).stream(HELLO, lambda text: None)
    assert caught.value.parameter == "temperature"


@pytest.mark.parametrize("fault", [None, "hang", "stall"])
async def test_cancelling_closes_the_connection(fake: FakeOpenAI, make_client: MakeClient, fault: Fault | None) -> None:
    fake.say(LONG, tokens_per_second=50, fault=fault)
    before = requests_total("cancelled")
    got = asyncio.Event()
    task = asyncio.create_task(make_client().stream(HELLO, lambda text: got.set()))
    await (fake.wait_requests(1) if fault == "hang" else asyncio.wait_for(got.wait(), 5))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(fake.requests[0].ended.wait(), 5)
    assert fake.requests[0].outcome == "aborted"
    assert requests_total("cancelled") == before + 1


async def test_cancelling_while_waiting_to_retry(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.fail("rate_limited", retry_after=9, times=None)
    task = asyncio.create_task(make_client().stream(HELLO, lambda text: None))
    await fake.wait_requests(1)
    await asyncio.wait_for(fake.requests[0].ended.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(fake.requests) == 1


async def test_an_error_of_the_receiver_closes_the_connection(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.say(LONG, tokens_per_second=50)

    def receive(text: str) -> None:
        raise LookupError("the receiver's own")

    with pytest.raises(LookupError, match="own"):
        await make_client().stream(HELLO, receive)
    await asyncio.wait_for(fake.requests[0].ended.wait(), 5)
    assert fake.requests[0].outcome == "aborted"


async def test_many_at_once(fake: FakeOpenAI, make_client: MakeClient) -> None:
    client = make_client()
    words = " ".join(["word"] * 20)
    for _ in range(80):
        fake.say(words, tokens_per_second=40)
    answers = await asyncio.gather(*(client.stream(HELLO, lambda text: None) for _ in range(80)))
    assert {answer.text for answer in answers} == {words}


def test_a_client_needs_an_endpoint() -> None:
    with pytest.raises(ValueError, match="at least one endpoint"):
        ModelClient(None, [])  # pyright: ignore[reportArgumentType]


async def test_empty_answers_say_what_may_help(fake: FakeOpenAI, make_client: MakeClient) -> None:
    fake.say("", finish_reason="length", times=None)
    with pytest.raises(NoText, match="max_completion_tokens"):
        await make_client().stream(HELLO, lambda text: None)
    assert len(fake.requests) == 1


async def test_an_answer_without_end_is_ended(fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint) -> None:
    fake.say(LONG * 10, tokens_per_second=20)
    with pytest.raises(TookTooLong, match=r"after 0\.5 s .*totalTimeoutSeconds") as caught:
        await make_client(dataclasses.replace(endpoint, total_timeout=0.5)).stream(HELLO, lambda text: None)
    assert (caught.value.kind, caught.value.text[:11]) == ("timeout", "word0 word1")
    await asyncio.wait_for(fake.requests[0].ended.wait(), 5)
    assert fake.requests[0].outcome == "aborted"


@pytest.mark.parametrize("streaming", [True, False])
async def test_the_whole_time_holds_before_the_first_token_too(
    fake: FakeOpenAI, make_client: MakeClient, endpoint: Endpoint, streaming: bool
) -> None:
    fake.say("late", fault="hang")
    client = make_client(dataclasses.replace(endpoint, total_timeout=0.2))
    with pytest.raises(TookTooLong):
        await (client.stream(HELLO, lambda text: None) if streaming else client.complete(HELLO))
