"""A bot at work: its configuration and everything a turn or an intake needs, made once a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import aiohttp

from gptbot.conversation.reading import Reader
from gptbot.conversation.spending import Spending
from gptbot.delivery.pacing import Pacer
from gptbot.embedded.window import ANSWER_SECONDS, window_of
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.intake import BotIntake
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import TURN_LEASE, Mailbox
from gptbot.inbox.room import Room
from gptbot.inbox.store import Store, StoreUnavailable
from gptbot.llm.budget import TokenBudget, stream_trimmed
from gptbot.llm.client import ModelClient
from gptbot.llm.outcomes import Outcomes
from gptbot.llm.transcription import Transcriber
from gptbot.llm.types import Completion, Endpoint, Message, Meter, Prices
from gptbot.manifest import BotConfig
from gptbot.platforms.base import Sender, SenderContext
from gptbot.platforms.errors import SendError
from gptbot.platforms.registry import platform
from gptbot.safety.budgets import Amount, Budgets
from gptbot.safety.limits import Limits
from gptbot.safety.moderation import Moderator
from gptbot_api import llm as llm_spec
from gptbot_api.base import seconds

_CHARACTERS_A_TOKEN = 4
"""As a rule (OpenAI: English about 4)."""
_MOST_CHARACTERS_A_TOKEN = 8
"""More than tokens have on average in any language."""
LOCAL_PLATFORMS = frozenset({"terminal"})
"""Platforms that every bot answers on, declared or not: nobody reaches them from outside."""


@dataclass(slots=True)
class Bot:
    """One bot of this process. `config` is replaced when its manifest changes."""

    config: BotConfig
    store: Store
    keys: BotKeys
    mailbox: Mailbox
    share: Room
    limits: Limits
    budgets: Budgets
    model: ModelClient
    outcomes: Outcomes
    http: aiohttp.ClientSession
    pacer: Pacer
    moderator: Moderator
    reader: Reader
    budget: TokenBudget = field(default_factory=TokenBudget)
    context_window: int = 128_000
    _senders: dict[str, Sender] = field(default_factory=dict[str, Sender])

    @classmethod
    def open(
        cls,
        config: BotConfig,
        store: Store,
        http: aiohttp.ClientSession,
        *,
        pepper: str,
        consumer: str,
        model: Sequence[Endpoint],
        lease: float = TURN_LEASE,
    ) -> Bot:
        """Put a bot together; nothing is connected yet. Raises InvalidManifest when a key cannot be found."""
        keys = BotKeys(config.key, pepper.encode())
        llm = config.bot.spec.llm
        outcomes = Outcomes(store, keys, model)
        share = Room(store, config.key, lambda: bot.config.bot.spec.store is None)
        bot = cls(
            config=config,
            store=store,
            keys=keys,
            mailbox=Mailbox(store, keys, consumer, lease, lambda: seconds(bot.config.bot.spec.privacy.retention)),
            share=share,
            limits=Limits(store, keys, lambda: bot.config.bot.spec.limits, share),
            budgets=Budgets(store, keys, lambda: bot.config.bot.spec.limits),
            model=ModelClient(http, model, note=outcomes.note),
            outcomes=outcomes,
            http=http,
            pacer=Pacer(store, keys),
            reader=Reader(
                lambda: bot.config.bot.spec, transcriber(config, http), lambda account: Spending(bot, account)
            ),
            moderator=Moderator.of(config, http, lambda tokens: bot.budgets.spend(Amount(tokens))),
            context_window=window_of(llm),
        )
        outcomes.share({endpoint.path: of for endpoint, of in zip(model, bot.model.traits, strict=True)})
        return bot

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return self.config.key

    def settings(self, name: str) -> Any:
        """What stands under a platform's name in `spec.platforms`. Raises LookupError when it is not there."""
        enabled: Mapping[str, Any] = self.config.bot.spec.platforms.enabled()
        if name not in enabled and name not in LOCAL_PLATFORMS:
            raise LookupError(f"spec.platforms has no {name}")
        return enabled.get(name, {})

    def sender(self, name: str) -> Sender:
        """The sender of a platform. Raises LookupError when the bot does not answer there (any more)."""
        found = self._senders.get(name)
        if found is None:
            context = SenderContext(
                bot=self.config, settings=self.settings(name), http=self.http, store=self.store, keys=self.keys
            )
            found = self._senders[name] = platform(name).sender(context)
        return found

    def intake(self, name: str) -> BotIntake:
        """The door for messages of a platform."""
        from gptbot.conversation import commands
        from gptbot.conversation.erasing import erase_at_once
        from gptbot.conversation.spoken import spoken_command

        async def erase(conversation: str, envelope: Envelope) -> Mapping[str, int]:
            spec = self.config.bot.spec
            try:
                return await erase_at_once(self.mailbox, self.sender(name), spec, conversation, envelope)
            except SendError as error:  # what a platform keeps is in the store as well
                raise StoreUnavailable(str(error)) from None

        return BotIntake(lambda: self.config, name, self.mailbox, self.limits, commands, spoken_command, erase)

    async def ask(
        self, messages: Sequence[Message], on_text: Callable[[str], None], meter: Meter | None = None, *,
        whole: bool = False,
    ) -> Completion:  # fmt: skip
        """Ask the model, with as much of the conversation as it has room for. Raises ModelError.

        `on_text` gets the answer as it comes, `meter` hears of each request. `whole`: the answer is no person's, and is
        not bounded by `maxAnswerTokens`.
        """
        window, reserve = self.context_window, self.reply_reserve
        return await stream_trimmed(
            self.model, self.budget, messages, on_text, context_window=window, reply_reserve=reserve, meter=meter,
            whole=whole,
        )  # fmt: skip

    @property
    def reply_reserve(self) -> int:
        """Tokens of the model's window that are left for its answer."""
        return answer_reserve(self.config.bot.spec.llm, self.context_window)

    @property
    def room(self) -> int:
        """Tokens that a request may have."""
        return self.context_window - self.reply_reserve

    @property
    def first_model(self) -> str:
        """Name of the model that is asked first."""
        return self.model.endpoints[0].model

    def tokens(self, messages: Sequence[Message]) -> int:
        """What a request and its answer were in tokens, about: for those of which the API does not tell."""
        return min(self.budget.count(self.first_model, messages), self.context_window)


def endpoints(config: BotConfig, embedded: Callable[[], tuple[str, str]]) -> list[Endpoint]:
    """Where the bot's model is, first choice first. `embedded` gives base URL and name of the embedded model.

    Raises InvalidManifest when a key cannot be found.
    """
    llm = config.bot.spec.llm
    parameters = llm.parameters.model_dump(by_alias=True, exclude_none=True)
    bounds = bounds_of(llm)
    prices = _prices(llm.prices, llm.prices)

    def key(reference: Any, path: str) -> str | None:
        return None if reference is None else config.secret(reference, path)

    if llm.base_url is None:
        url, name = embedded()
        found = [Endpoint(url, None, llm.model or name, parameters, **bounds, prices=prices)]
    else:
        assert llm.model is not None  # the rules of the API see to it
        api_key = key(llm.api_key_secret_ref, "spec.llm.apiKeySecretRef")
        found = [Endpoint(llm.base_url, api_key, llm.model, parameters, **bounds, vision=llm.vision, prices=prices)]
    for index, other in enumerate(llm.fallbacks):
        path = f"spec.llm.fallbacks[{index}]"
        api_key = key(other.api_key_secret_ref, f"{path}.apiKeySecretRef")
        found.append(
            Endpoint(
                other.base_url, api_key, other.model, parameters, **bounds, vision=other.vision, path=path,
                prices=_prices(other.prices, llm.prices) or prices,
            )
        )  # fmt: skip
    return found


def answer_reserve(llm: llm_spec.Llm, window: int) -> int:
    """Tokens of the window that are left for an answer: as many as it may have, else a quarter, and 4096 at most."""
    if llm.max_answer_tokens is not None:
        return min(llm.max_answer_tokens, window // 2)
    return min(4096, window // 4)


class Bounds(TypedDict):
    """What bounds an answer, by the names of `Endpoint`."""

    timeout: float
    total_timeout: float
    stall: float
    keep_alive: float
    max_answer: int | None
    most_characters: int


def bounds_of(llm: llm_spec.Llm) -> Bounds:
    """What bounds an answer of a bot, at whichever of its endpoints."""
    window, total = window_of(llm), float(llm.total_timeout_seconds)
    if llm.built_in:
        total = min(total, ANSWER_SECONDS)
    wanted = None if llm.max_answer_tokens is None else answer_reserve(llm, window)
    return Bounds(
        timeout=float(llm.timeout_seconds), total_timeout=total,
        stall=float(llm.stall_seconds), keep_alive=float(llm.keep_alive_seconds), max_answer=wanted,
        most_characters=window // 4 * _CHARACTERS_A_TOKEN if wanted is None else wanted * _MOST_CHARACTERS_A_TOKEN,
    )  # fmt: skip


def _prices(of: llm_spec.Prices | None, model: llm_spec.ModelPrices | None) -> Prices | None:
    """Prices as requests are counted by, in the currency of the model's."""
    if of is None or model is None:
        return None
    return Prices(of.input, of.output, of.input if of.cached_input is None else of.cached_input, model.currency)


def transcriber(config: BotConfig, http: aiohttp.ClientSession) -> Transcriber | None:
    """What writes down recordings, if anything does. Raises InvalidManifest when its key cannot be found."""
    llm = config.bot.spec.llm
    wanted, path = llm.transcription, "spec.llm.transcription"
    if wanted is None:
        return None
    reference = wanted.api_key_secret_ref
    api_key = None if reference is None else config.secret(reference, f"{path}.apiKeySecretRef")
    timeout = float(llm.timeout_seconds)
    prices = _prices(wanted.prices, llm.prices)
    return Transcriber(
        http, Endpoint(wanted.base_url, api_key, wanted.model, timeout=timeout, path=path, prices=prices)
    )  # fmt: skip
