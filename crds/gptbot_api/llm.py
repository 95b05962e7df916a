"""The model that answers: an OpenAI-compatible endpoint, or the embedded one."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gptbot_api.base import ApiModel, OpenModel, Rule
from gptbot_api.refs import ApiUrl, SecretKeyRef

ModelName = Annotated[str, Field(min_length=1, max_length=256)]


class Parameters(OpenModel):
    """Request parameters passed to the model as they are, such as `max_tokens` or `top_p`."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """How freely the model words its answers, 0 to 2."""


Price = Annotated[float, Field(ge=0, le=1_000_000)]


class Prices(ApiModel):
    """What a model costs, per million tokens."""

    input: Price
    """A million tokens of questions: all that the model reads."""
    output: Price
    """A million tokens of answers, hidden thoughts included."""
    cached_input: Price | None = None
    """A million tokens that the API had read before and says so (`cached_tokens`). Absent: as `input`."""


class ModelPrices(Prices):
    """What the model costs, per million tokens. Only for the count of `limits.costPerDay`: nobody is billed by it."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    """Currency of all prices here, of `fallbacks` too, and of `limits.costPerDay`: three letters (ISO 4217)."""


class EmbeddedModel(ApiModel):
    """A small model that comes with gptbot: needs no key and no network, and is good for trying things out."""

    parallel: Annotated[int, Field(ge=1, le=64)] = 4
    """Answers it makes at the same time."""
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    """CPU threads it uses. 0: as many as there are cores."""
    file: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f]+$")] | None = None
    """Another model: path of a file in GGUF, llama.cpp's format. Only for `gptbot run` and `gptbot chat`, relative to
    the directory that they are started in; on a cluster `gptbot model --file` serves it, and `baseUrl` names that."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    """SHA-256 that the file must have, in hexadecimal digits. Absent: it is not compared."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.sha256) || has(self.file)",
            "sha256 is that of file: name the file too, or leave sha256 out",
            lambda m: m.sha256 is None or m.file is not None,
        ),
    )


class Endpoint(ApiModel):
    """One further endpoint, tried when those before it fail."""

    base_url: ApiUrl
    """Base address of an OpenAI-compatible API, up to and with its version: `https://api.openai.com/v1`."""
    api_key_secret_ref: SecretKeyRef | None = None
    """Its API key. Absent: none is sent."""
    model: ModelName
    """Name of the model there."""
    vision: bool = False
    """Whether this model sees images. Where it does not, it is told only that there was one."""
    prices: Prices | None = None
    """What this model costs. Absent: as `spec.llm.prices`."""


class Transcription(ApiModel):
    """An OpenAI-compatible endpoint that writes down what is said (`POST /audio/transcriptions`)."""

    base_url: ApiUrl
    """Base address of the API, up to and with its version: `https://api.openai.com/v1`."""
    api_key_secret_ref: SecretKeyRef | None = None
    """Its API key. Absent: none is sent."""
    model: ModelName
    """Name of the model there, such as `gpt-4o-mini-transcribe` or `whisper-1`."""
    prices: Prices | None = None
    """What it costs, where it is paid by tokens. Absent: cost is not counted."""


class Llm(ApiModel):
    """The model that answers. Without `baseUrl` and `embedded` it is the installation's, with what else stands here."""

    has_installation_defaults: ClassVar[bool] = True

    base_url: ApiUrl | None = None
    """Base address of an OpenAI-compatible API, up to and with its version: `https://api.openai.com/v1`."""
    embedded: EmbeddedModel | None = None
    """Use the embedded model instead of an endpoint."""
    api_key_secret_ref: SecretKeyRef | None = None
    """API key of the endpoint. Absent: none is sent; without `baseUrl`, the installation's."""
    model: ModelName | None = None
    """Name of the model at the endpoint. Needed with `baseUrl`."""
    parameters: Parameters = Field(default_factory=Parameters)
    """Request parameters passed to the model as they are."""
    context_window: Annotated[int, Field(ge=256, le=10_000_000)] = 128_000
    """Tokens the model can take in and give out in one request. The embedded model's own, smaller window wins."""
    max_answer_tokens: Annotated[int, Field(ge=16, le=1_000_000)] | None = None
    """Tokens an answer may have, half of `contextWindow` at most; a longer one ends there and says so. The model is
    told (`max_tokens`, or `max_completion_tokens` where it wants that), and most count their thoughts as well. Absent:
    it is not told, and an answer of about a quarter of `contextWindow` is ended."""
    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """Seconds to wait for the first token."""
    stall_seconds: Annotated[int, Field(ge=1, le=3600)] = 20
    """Seconds to wait between two tokens, hidden thoughts among them."""
    keep_alive_seconds: Annotated[int, Field(ge=0, le=3600)] = 120
    """Seconds without a token for which the server is believed to be at work, while it sends signs of life such as
    comments in its stream. 0: they count for nothing."""
    total_timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] = 600
    """Seconds that a whole answer may take; what was said until then is kept, and the answer ends there."""
    fallbacks: Annotated[list[Endpoint], Field(max_length=8)] = Field(default_factory=list[Endpoint])
    """Further endpoints, tried in order when this one fails."""
    vision: bool = False
    """Whether the model sees images: then it is shown those that people send."""
    transcription: Transcription | None = None
    """Where voice messages are written down. Absent: the bot says that it cannot listen."""
    prices: ModelPrices | None = None
    """What the model costs. Absent: cost is not counted."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.baseUrl) && has(self.embedded))",
            "baseUrl and embedded must not both be set",
            lambda m: m.base_url is None or m.embedded is None,
        ),
        Rule(
            "!has(self.baseUrl) || has(self.model)",
            "baseUrl needs the name of a model in model",
            lambda m: m.base_url is None or m.model is not None,
        ),
        Rule(
            "!(has(self.embedded) && has(self.vision) && self.vision)",
            "the embedded model sees no images: vision needs baseUrl",
            lambda m: not m.vision or m.embedded is None,
        ),
        Rule(
            "has(self.prices) || ((!has(self.fallbacks) || self.fallbacks.all(f, !has(f.prices)))"
            " && (!has(self.transcription) || !has(self.transcription.prices)))",
            "prices of fallbacks and of transcription need those of the model itself: set prices too",
            lambda m: (
                m.prices is not None
                or (all(f.prices is None for f in m.fallbacks) and getattr(m.transcription, "prices", None) is None)
            ),
        ),
    )

    @property
    def named(self) -> bool:
        """Whether a model is named here."""
        return self.base_url is not None or self.embedded is not None

    @property
    def built_in(self) -> bool:
        """Whether the small model answers that comes along."""
        return self.embedded is not None and self.embedded.file is None
