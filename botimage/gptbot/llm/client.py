"""The client of the models: retries before the first token, then the fallbacks in order."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Literal

import aiohttp

from gptbot.llm import metrics
from gptbot.llm.breaker import Breaker
from gptbot.llm.errors import BudgetSpent, ContextTooLong, ModelError, ModelTimeout, Refused
from gptbot.llm.stream import Request, request_body, request_headers
from gptbot.llm.traits import Traits
from gptbot.llm.types import Completion, Endpoint, Message, Meter

# As the openai package has it (openai/_constants.py).
MAX_RETRIES = 2
INITIAL_RETRY_DELAY = 0.5
MAX_RETRY_DELAY = 8.0

logger = logging.getLogger(__name__)


class ModelClient:
    """Asks the endpoints, in order, until one answers.

    What may pass by itself (`retryable` errors) is tried again at the same endpoint, at most `max_retries` times and
    never after the first token; other errors go straight to the next endpoint. ContextTooLong and Refused are raised
    at once: another endpoint gets the same messages. An endpoint that keeps failing is passed over for a while
    (`breaker.py`); when all are, the one whose pause ends first is asked.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        endpoints: Sequence[Endpoint],
        *,
        max_retries: int = MAX_RETRIES,
        max_wait: float = 10.0,
        interval: float = 0.05,
        breaker: Callable[[str], Breaker] = Breaker,
        note: Callable[[Endpoint, ModelError | None], None] | None = None,
    ) -> None:
        """`max_wait`: longest Retry-After to sit out here, seconds; past it the error is raised, for the turn to be
        retried later. `interval`: seconds of text that `on_text` gets at once, after the first text. `breaker` makes
        the breaker of an endpoint, given the name of its model. `note` is told what came of each endpoint asked.
        """
        if not endpoints:
            raise ValueError("a ModelClient needs at least one endpoint")
        self.endpoints = tuple(endpoints)
        self._http = http
        self._max_retries = max_retries
        self._max_wait = max_wait
        self._interval = interval
        self.traits = [Traits() for _ in self.endpoints]
        """What is learned of each endpoint."""
        self._note = note
        self._breakers = [breaker(endpoint.model) for endpoint in self.endpoints]

    @property
    def health(self) -> Literal["good", "fallback", "away"]:
        """How the last requests went: well, well at another than the first endpoint, or badly at all of them."""
        if self._breakers[0].state == "closed":
            return "good"
        return "fallback" if any(breaker.state == "closed" for breaker in self._breakers) else "away"

    @property
    def window(self) -> int | None:
        """Tokens of question and answer that the first endpoint takes at once, where it said so."""
        return self.traits[0].window

    async def stream(
        self, messages: Sequence[Message], on_text: Callable[[str], None], meter: Meter | None = None, *,
        whole: bool = False,
    ) -> Completion:  # fmt: skip
        """Ask, and pass the text on as it comes; the whole of it is in the result. Raises ModelError.

        Cancelling closes the connection. An error after the first text has the text so far in `text`. `meter` hears of
        each request, and of what comes. `whole`: the answer is not bounded by the endpoint's `max_answer`.
        """
        return await self._ask(messages, on_text, meter, whole)

    async def complete(self, messages: Sequence[Message], meter: Meter | None = None) -> Completion:
        """Ask for an answer in one piece; `timeout` of the endpoint is for all of it. Raises ModelError."""
        return await self._ask(messages, None, meter, whole=False)

    async def _ask(
        self, messages: Sequence[Message], on_text: Callable[[str], None] | None, meter: Meter | None, whole: bool
    ) -> Completion:
        failure: ModelError | None = None
        left = list(range(len(self.endpoints)))
        while (index := self._next(left, last_resort=failure is None)) is not None:
            left.remove(index)
            if failure is not None:
                logger.warning("asking %s instead: %s", self.endpoints[index].model, failure)
            try:
                completion = await self._ask_endpoint(index, left, messages, on_text, meter, whole)
                self._tell(index, None)
                return completion
            except BudgetSpent:
                raise
            except ModelError as error:
                self._tell(index, error)
                if error.text or isinstance(error, ContextTooLong | Refused):
                    raise
                # The first endpoint is the one that is meant to work: its error says what is wrong.
                failure = failure or error
        assert failure is not None
        raise failure

    def _tell(self, index: int, error: ModelError | None) -> None:
        if self._note is not None:
            self._note(self.endpoints[index], error)

    def _next(self, left: Sequence[int], *, last_resort: bool) -> int | None:
        """The first endpoint that is ready. If none is: as a last resort the one whose pause ends first."""
        ready = next((index for index in left if self._breakers[index].ready()), None)
        if ready is None and last_resort:
            return min(left, key=lambda index: self._breakers[index].opens_at)
        return ready

    async def _ask_endpoint(
        self,
        index: int,
        others: Sequence[int],
        messages: Sequence[Message],
        on_text: Callable[[str], None] | None,
        meter: Meter | None,
        whole: bool,
    ) -> Completion:
        endpoint, breaker = self.endpoints[index], self._breakers[index]
        traits, retries = self.traits[index], 0
        while True:
            form = traits.form
            if meter is not None:
                await meter.before(endpoint, messages)
            try:
                return await self._guarded(index, messages, on_text, meter, whole)
            except ModelError as error:
                if isinstance(error, ContextTooLong):
                    traits.narrow(error.limit)
                if not error.text and traits.learn(endpoint, error, form):
                    logger.warning("%s gets what it refused no more: %s", endpoint.model, error)
                    continue
                # A timeout has used up the user's patience already.
                if error.text or not error.retryable or isinstance(error, ModelTimeout) or retries == self._max_retries:
                    raise
                if breaker.state != "closed" and self._next(others, last_resort=False) is not None:
                    raise
                delay = error.retry_after
                if delay is None:
                    delay = min(INITIAL_RETRY_DELAY * 2**retries, MAX_RETRY_DELAY) * (1 - 0.25 * random.random())
                if delay > self._max_wait:
                    raise
                retries += 1
                metrics.RETRIES.labels(endpoint.model, error.kind).inc()
                logger.info("asking %s again in %.1f s: %s", endpoint.model, delay, error)
                await asyncio.sleep(delay)

    async def _guarded(
        self,
        index: int,
        messages: Sequence[Message],
        on_text: Callable[[str], None] | None,
        meter: Meter | None,
        whole: bool,
    ) -> Completion:
        """One request, and what it comes to told to the breaker."""
        endpoint, breaker = self.endpoints[index], self._breakers[index]
        before = breaker.state
        try:
            with breaker.attempt():
                return await self._request(endpoint, self.traits[index], messages, on_text, meter, whole)
        except ModelError as error:
            if before == "closed" and breaker.state == "open":
                logger.warning("%s is left alone for a while: %s", endpoint.model, error)
            raise

    async def _request(
        self,
        endpoint: Endpoint,
        traits: Traits,
        messages: Sequence[Message],
        on_text: Callable[[str], None] | None,
        meter: Meter | None,
        whole: bool,
    ) -> Completion:
        body = request_body(endpoint, messages, stream=on_text is not None, traits=traits, whole=whole)
        heard = None if meter is None else meter.heard
        request = Request(
            self._http, endpoint, body, request_headers(endpoint), on_text, self._interval, heard,
            begun=traits.unopened > 0, whole=whole,
        )  # fmt: skip
        clock = asyncio.get_running_loop().time
        started = clock()
        outcome = "cancelled"
        try:
            completion = await request.run()
            outcome = "ok"
            traits.answered(unopened=completion.unopened_thoughts)
        except ModelError as error:
            outcome = error.kind
            raise
        finally:
            if meter is not None and request.may_cost:
                meter.after(endpoint, messages, request.usage, request.said)
            metrics.REQUESTS.labels(endpoint.model, outcome).inc()
            metrics.DURATION.labels(endpoint.model).observe(clock() - started)
            if request.first_text is not None:
                metrics.FIRST_TOKEN.labels(endpoint.model).observe(request.first_text - started)
        for direction, tokens in (("prompt", completion.prompt_tokens), ("completion", completion.completion_tokens)):
            if tokens:
                metrics.TOKENS.labels(endpoint.model, direction).inc(tokens)
        return completion
