"""The resource: a GptBot and its spec."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from gptbot_api.about import About
from gptbot_api.base import ApiModel, Rule
from gptbot_api.llm import Llm
from gptbot_api.network import Expose, Monitoring, NetworkPolicy
from gptbot_api.platforms import BUILT_IN, Platforms
from gptbot_api.policy import PRINCIPAL, Access, AnswerIn, Context, Limits, Persona, Privacy
from gptbot_api.safety import Safety
from gptbot_api.status import GptBotStatus
from gptbot_api.workload import Gateway, PodTemplate, Store, Workers

MOST_OF_PROMPTS = 768 * 1024
"""Bytes of all prompts that a spec may hold. A ConfigMap takes 1 MiB, with all else that is in it and as YAML."""
_INSTALLATION = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
"""Namespace and name of a Lease."""


def _assistant() -> list[Persona]:
    return [Persona(name="assistant", title="Assistant", prompt="You are a helpful assistant.")]


def strangers(spec: GptBotSpec, name: str) -> list[str]:
    """Entries of an access list that are of a platform which there cannot be."""
    known = (*BUILT_IN, *spec.platforms.extra)
    entries: list[str] = getattr(spec.access, name)
    return [entry for entry in entries if entry.split(":")[0] not in known]


def _known(name: str) -> Rule:
    """The rule that the entries of an access list are of platforms which there may be."""
    own = " || ".join(f"e.startsWith('{platform}:')" for platform in BUILT_IN)
    extra = "has(self.platforms.extra) && e.split(':')[0] in self.platforms.extra"
    known = f"{own} || ({extra}) || !e.matches(r'{PRINCIPAL}')"  # whose form is wrong is told so
    entries = f"self.access.{name}"
    return Rule(
        f"!has(self.access) || !has({entries}) || {entries}.all(e, {known})",
        "{} matches nobody: it must begin with telegram:, discord:, web: or a name of platforms.extra",
        lambda spec: not strangers(spec, name),
        field=f"access.{name}",
        inserted=f"{entries}.filter(e, !({known}))[0]",
        inserts=lambda spec: strangers(spec, name)[0],
        spares_stored=True,
    )


class GptBotSpec(ApiModel):
    """What a bot is to be."""

    platforms: Platforms
    """Where it answers: at least one."""
    answer_in: AnswerIn = Field(default_factory=AnswerIn)
    """When it answers."""
    llm: Llm = Field(default_factory=Llm)
    """The model that answers: `baseUrl` or `embedded`. Neither: the default of the installation."""
    personas: Annotated[list[Persona], Field(min_length=1, max_length=50)] = Field(default_factory=_assistant)
    """The roles it can play."""
    default_persona: Annotated[str, Field(max_length=32)] | None = None
    """The role it starts with. Absent: the first of `personas`."""
    custom_persona: Literal["allowed", "forbidden"] = "allowed"
    """Whether a user may write a persona of their own."""
    greeting: Annotated[str, Field(max_length=1000)] = ""
    """What it says to whoever opens it and to the command `start`, as Markdown; buttons for what it can do stand below.

    Empty: two or three sentences in the reader's language.
    """
    about: About = Field(default_factory=About)
    """Who runs it, as it tells people who ask."""
    context: Context = Field(default_factory=Context)
    """What it remembers of a conversation."""
    limits: Limits = Field(default_factory=Limits)
    """What one user, one chat and the whole bot may use."""
    access: Access = Field(default_factory=Access)
    """Who may talk to it."""
    safety: Safety = Field(default_factory=Safety)
    """What keeps its talk within bounds."""
    privacy: Privacy = Field(default_factory=Privacy)
    """What is taken out of messages, and how long anything is kept."""
    store: Store | None = None
    """Where conversations are kept. Absent: the operator's shared store."""
    gateway: Gateway = Field(default_factory=Gateway)
    """The part that holds the platforms' sessions."""
    workers: Workers = Field(default_factory=Workers)
    """The part that answers."""
    pod_template: PodTemplate = Field(default_factory=PodTemplate)
    """Merged into the pods of gateway and workers.

    Lists of named things are merged by name (the bot's container is `gptbot`), tolerations are added, other lists are
    replaced. A null takes a field away; kubectl passes nulls on with `--server-side` only.
    """
    expose: Expose | None = None
    """A public address for the web page and webhooks. Absent: none is made."""
    network_policy: NetworkPolicy = Field(default_factory=NetworkPolicy)
    """What the bot's pods may talk to."""
    monitoring: Monitoring = Field(default_factory=Monitoring)
    """How Prometheus finds the bot's pods."""
    operator: Annotated[str, Field(max_length=317, pattern=_INSTALLATION)] | None = None
    """Which installation of the operator is to serve the bot, by its Lease: `NAMESPACE/NAME`, as `status.servedBy` has
    it. Absent: the one that comes first, where several serve the namespace."""
    suspend: bool = False
    """Stop gateway and workers, and keep everything else: configuration, secrets, conversations."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.personas.all(p, self.personas.exists_one(q, q.name == p.name))",
            "names of personas must be unique",
            lambda s: len({p.name for p in s.personas}) == len(s.personas),
            field="personas",
        ),
        Rule(
            f"self.personas.map(p, has(p.prompt) ? bytes(p.prompt).size() : 0).sum() <= {MOST_OF_PROMPTS}",
            f"the prompts of all personas together have {{}} bytes, and at most {MOST_OF_PROMPTS} (768 KiB) fit into "
            "the ConfigMap of the bot: shorten them, or keep them in ConfigMaps of their own and name those by "
            "promptFrom",
            lambda s: s.prompt_bytes() <= MOST_OF_PROMPTS,
            field="personas",
            inserted="self.personas.map(p, has(p.prompt) ? bytes(p.prompt).size() : 0).sum()",
            inserts=lambda s: s.prompt_bytes(),
        ),
        Rule(
            "!has(self.defaultPersona) || self.personas.exists(p, p.name == self.defaultPersona)",
            "defaultPersona must be the name of one of personas",
            lambda s: s.default_persona is None or any(p.name == s.default_persona for p in s.personas),
            field="defaultPersona",
        ),
        Rule(
            "self.workers.maxReplicas > 0 || self.gateway.concurrency > 0",
            "somebody has to answer: workers.maxReplicas and gateway.concurrency must not both be 0",
            lambda s: s.workers.max_replicas > 0 or s.gateway.concurrency > 0,
        ),
        Rule(
            "!has(self.expose) || (has(self.platforms.web) && self.platforms.web.enabled)"
            " || (has(self.platforms.telegram) && self.platforms.telegram.mode == 'webhook')"
            " || (has(self.platforms.extra) && size(self.platforms.extra) > 0)",
            "there is nothing to expose: it needs platforms.web, a webhook, or a platform of an installed package",
            lambda s: s.expose is None or s.platforms.serves_http(),
            field="expose",
        ),
        Rule(
            "!has(self.limits) || !has(self.llm) || !(has(self.llm.baseUrl) || has(self.llm.embedded))"
            " || has(self.llm.prices) || ((!has(self.limits.costPerDay) || self.limits.costPerDay == 0.0)"
            " && (!has(self.limits.costPerUserPerDay) || self.limits.costPerUserPerDay == 0.0))",
            "costPerDay and costPerUserPerDay need prices: set llm.prices",
            lambda s: (
                not s.llm.named
                or s.llm.prices is not None
                or not (s.limits.cost_per_day or s.limits.cost_per_user_per_day)
            ),
            field="limits",
        ),
        *(_known(name) for name in ("allow", "deny", "administrators")),
    )

    def prompt_bytes(self) -> int:
        """Bytes of all prompts that the spec itself holds."""
        return sum(len((persona.prompt or "").encode()) for persona in self.personas)

    def hosts(self) -> list[str]:
        """Names of hosts that HTTP requests for the bot come by, as far as the spec tells."""
        return [*([] if self.expose is None else [self.expose.host]), *self.platforms.hosts()]

    def persona(self, name: str | None = None) -> Persona | None:
        """The persona of that name (None: the one the bot starts with), or None when there is none."""
        name = name or self.default_persona
        if name is None:
            return self.personas[0]
        return next((p for p in self.personas if p.name == name), None)


class ObjectMeta(ApiModel):
    """Standard metadata (`metav1.ObjectMeta`)."""

    name: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    """Name of the bot. 50 characters at most, so that the names of its children fit."""
    namespace: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")] = (
        "default"
    )
    """Its namespace."""
    uid: str = ""
    """Set by the API server."""
    generation: int = 0
    """Set by the API server: grows with each change of the spec."""
    labels: dict[str, str] = Field(default_factory=dict[str, str])
    """Free for users."""
    annotations: dict[str, str] = Field(default_factory=dict[str, str])
    """Free for users."""
    generate_name: Any = None
    resource_version: Any = None
    creation_timestamp: Any = None
    deletion_timestamp: Any = None
    deletion_grace_period_seconds: Any = None
    finalizers: Any = None
    owner_references: Any = None
    managed_fields: Any = None
    self_link: Any = None


class GptBot(ApiModel):
    """A GPT chat bot that answers on Discord, Telegram and a web page at once."""

    api_version: Literal["gptbot.dev/v1alpha1"]
    """Always `gptbot.dev/v1alpha1`."""
    kind: Literal["GptBot"]
    """Always `GptBot`."""
    metadata: ObjectMeta
    """Standard metadata."""
    spec: GptBotSpec
    """What the bot is to be."""
    status: GptBotStatus | None = None
    """What the bot is, written by the operator."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.metadata.name.matches('^[a-z]')",
            "must begin with a letter, such as shop1: Services of the bot are named after it",
            lambda b: bool(b.metadata.uid) or b.metadata.name[0].isalpha(),
            field="metadata.name",
            at_creation=True,
        ),
    )

    @property
    def key(self) -> str:
        """`namespace/name`, which names the bot in the store, in logs and in metrics."""
        return f"{self.metadata.namespace}/{self.metadata.name}"

    def document(self) -> dict[str, Any]:
        """The bot as plain data in the API's own names, defaults left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
