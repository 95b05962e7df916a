"""How much of a conversation fits into a model's context, without a tokenizer.

Each model has a ratio of characters to tokens, learned from what its API says it counted. A tokenizer would have to be
downloaded for each model, and for many there is none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence

from gptbot.llm.client import ModelClient
from gptbot.llm.errors import ContextTooLong
from gptbot.llm.types import Completion, Message, Meter, Usage

FIRST_RATIO = 3.0
"""Characters a token before anything is learned: English has about 4, Russian and code nearer 3."""
MESSAGE_TOKENS = 4
"""Tokens that each message costs besides its text (OpenAI cookbook: 3, and 1 for the role)."""
IMAGE_TOKENS = 1100
"""Tokens that an image is taken to cost: of a photo, OpenAI's models count 765 to 1,105, those that count by patches up
to about 1,500 (OpenAI, "Images and vision"). Too few is made good by trimming further."""
MOST_WINDOWS = 16
"""Times the context window that a count of the API may be, question or answer, to be believed: the window is kept by a
count of our own, which may be wrong by a factor of 12 before it has learned."""
_WEIGHT = 0.2  # of a new observation
_LEAST, _MOST = 0.25, 12.0
_WORTH = 200  # characters: shorter prompts say more of the chat template than of the text
_GAP = "\n[…]\n"
_SHRINK = 0.7
_LEAST_WINDOW = 256
_REFUSED_LASTS = 900.0
"""Seconds for which what an endpoint refused bounds what it is sent, where it did not say what it takes."""

logger = logging.getLogger(__name__)


class TokenBudget:
    """Counts tokens by characters, and trims conversations. One for all models of a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._ratios: dict[str, float] = {}
        self._clock = clock
        self._refused: dict[str, tuple[int, float]] = {}
        """Model to tokens that were refused while fewer were taken, and until when that counts."""

    def ratio(self, model: str) -> float:
        """Characters a token of the model."""
        return self._ratios.get(model, FIRST_RATIO)

    def count(self, model: str, messages: Iterable[Message]) -> int:
        """About how many tokens the messages are."""
        ratio = self.ratio(model)
        return sum(
            MESSAGE_TOKENS + _ceil(len(message["content"]) / ratio) + _image_tokens(message) for message in messages
        )

    def learn(self, model: str, messages: Sequence[Message], prompt_tokens: int | None) -> None:
        """Take in what the API counted for these messages. Those with images say nothing of characters."""
        characters = sum(len(message["content"]) for message in messages)
        tokens = (prompt_tokens or 0) - MESSAGE_TOKENS * len(messages)
        if characters < _WORTH or tokens <= 0 or any(map(_image_tokens, messages)):
            return
        seen = min(max(characters / tokens, _LEAST), _MOST)
        before = self._ratios.get(model)
        self._ratios[model] = seen if before is None else before + _WEIGHT * (seen - before)

    def trim(
        self, messages: Sequence[Message], context_window: int, reply_reserve: int, model: str = ""
    ) -> list[Message]:
        """The system prompt and the newest messages that fit, with `reply_reserve` tokens left for the answer.

        The newest message is always there, and what is left begins with a user's: some models refuse another order.
        A system prompt or a newest message too long by itself loses its middle. The system messages together have at
        most half of the room, and become one, since some models take no more; of several, the first has what the
        others leave.
        """
        head = 0
        while head < len(messages) - 1 and messages[head]["role"] == "system":
            head += 1
        room = max(context_window - reply_reserve, context_window // 4)
        others = [self._cut(message, room // 2 // head, model) for message in messages[1:head]]
        first = [
            self._cut(message, room // 2 - self.count(model, others), model) for message in messages[: min(head, 1)]
        ]
        system = _joined([*first, *others])
        room -= self.count(model, system)
        kept: list[Message] = []
        for message in reversed(messages[head:]):
            if not kept:
                message = self._cut(message, room, model)
            room -= self.count(model, [message])
            if room < 0 and kept:
                break
            kept.append(message)
        while len(kept) > 1 and kept[-1]["role"] == "assistant":
            kept.pop()
        return system + kept[::-1]

    def shortened(self, model: str, text: str, tokens: int) -> str:
        """The beginning of a text, of about so many tokens; it ends with a whole line or word."""
        most = int(tokens * self.ratio(model))
        if len(text) <= most:
            return text
        end = max(text.rfind("\n", most // 2, most), text.rfind(" ", most * 3 // 4, most))
        return f"{text[: end if end > 0 else most].rstrip()} […]"

    def too_long(self, model: str, messages: Sequence[Message], error: ContextTooLong) -> None:
        """Take in that these messages, which had been trimmed, did not fit."""
        exact = error.requested and (error.limit or error.requested > self.count(model, messages))
        if exact and not any(map(_image_tokens, messages)):
            self._ratios.pop(model, None)  # an exact count, and of today: worth more than the average
            self.learn(model, messages, error.requested)
        elif not error.limit or self.count(model, messages) <= error.limit:  # else the window was wrong, not the count
            self._ratios[model] = max(self.ratio(model) * _SHRINK, _LEAST)

    def window(self, model: str) -> int | None:
        """Tokens that the model refused of late without a word of what it takes. None: it did not."""
        tokens, until = self._refused.get(model, (0, 0.0))
        return tokens if self._clock() < until else None

    def fitted(self, model: str, refused: Sequence[Message], taken: Sequence[Message], tokens: int | None) -> None:
        """Take in that of a conversation so much was taken, and so much was not, which nobody put into a number.

        `tokens`: what the API counted of the former. Images may be refused for another reason than their number.
        """
        if any(map(_image_tokens, refused)):
            return
        if tokens:
            self._ratios.pop(model, None)  # an exact count, where the last one was a guess
            self.learn(model, taken, tokens)
        most = max(self.count(model, refused), _LEAST_WINDOW)
        self._refused[model] = min(most, self.window(model) or most), self._clock() + _REFUSED_LASTS

    def _cut(self, message: Message, tokens: int, model: str) -> Message:
        text = message["content"]
        characters = int(max(tokens - MESSAGE_TOKENS - _image_tokens(message), 1) * self.ratio(model))
        if len(text) <= characters:
            return message
        keep = max(characters - len(_GAP), 2)
        cut: Message = {**message}
        cut["content"] = text[: keep - keep // 2] + _GAP + text[len(text) - keep // 2 :]
        return cut


async def stream_trimmed(
    client: ModelClient,
    budget: TokenBudget,
    messages: Sequence[Message],
    on_text: Callable[[str], None] | None,
    *,
    context_window: int,
    reply_reserve: int,
    tries: int = 4,
    meter: Meter | None = None,
    whole: bool = False,
) -> Completion:
    """Stream the answer to as much of the conversation as fits; what does not fit after all is trimmed further.

    Without `on_text` it comes in one piece. Learns from what the API counted. `meter` hears of each request. `whole`:
    the answer is not bounded by `max_answer`. What an endpoint says that it takes at once holds from then on
    (`traits.py`), a quarter of it for the answer; what it refused without saying so, for a while. Raises ModelError;
    ContextTooLong only after `tries` requests.
    """
    model = client.endpoints[0].model
    window = min(context_window, client.window or context_window, budget.window(model) or context_window)
    refused: list[Message] | None = None
    for attempt in range(1, tries + 1):
        reserve = reply_reserve if window == context_window else min(reply_reserve, window // 4)
        trimmed = budget.trim(messages, window, reserve, model)
        try:
            if on_text is None:
                completion = await client.complete(trimmed, meter)
            else:
                completion = await client.stream(trimmed, on_text, meter, whole=whole)
        except ContextTooLong as error:
            if attempt == tries:
                raise
            # Where no limit is named, it is less than what was sent.
            most = error.limit or max(error.requested or 0, budget.count(model, trimmed))
            budget.too_long(model, trimmed, error)
            window = min(window, most)
            refused = None if error.limit else trimmed
            logger.warning("trimming the conversation further: %s", error)
        else:
            counted = completion.prompt_tokens or 0
            if refused is not None and completion.model == model:
                budget.fitted(model, refused, trimmed, counted if counted <= MOST_WINDOWS * context_window else None)
            elif counted <= MOST_WINDOWS * context_window:
                budget.learn(completion.model, trimmed, counted)
            return completion
    raise AssertionError("unreachable")


def believed(usage: Usage | None, context_window: int) -> Usage | None:
    """What the API counted, unless that cannot be."""
    most = MOST_WINDOWS * context_window
    return usage if usage is not None and usage.prompt <= most and usage.completion <= most else None


def _joined(system: Sequence[Message]) -> list[Message]:
    if len(system) < 2:
        return list(system)
    return [{"role": "system", "content": "\n\n".join(message["content"] for message in system)}]


def _image_tokens(message: Message) -> int:
    return IMAGE_TOKENS * len(message.get("images", ()))


def _ceil(value: float) -> int:
    return -int(-value // 1)
