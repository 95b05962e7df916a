"""What an installation gives to GptBots that leave it out: a model, limits, privacy, resources, a pod template."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import Field

from gptbot_api.base import ApiModel
from gptbot_api.llm import Llm
from gptbot_api.policy import Limits, Privacy, Rate
from gptbot_api.spec import GptBot
from gptbot_api.validate import Fault, InvalidManifest, broken_rules, is_stored, parse_as
from gptbot_api.workload import PodTemplate, Resources

NO_MODEL = "names no model: set baseUrl and model there, or embedded"
EXPOSED_PER_BOT = Rate(messages=600, per="1m")
"""`limits.perBot` of a bot whose page has a public address."""
_M = TypeVar("_M", bound=ApiModel)


class RoleDefaults(ApiModel):
    """Of the gateways, or of the workers."""

    resources: Resources = Field(default_factory=Resources)
    """Compute resources of one, where a GptBot says nothing of that resource."""


class Defaults(ApiModel):
    """The defaults of an installation. What a GptBot says itself wins."""

    llm: Llm = Field(default_factory=Llm)
    """The model of GptBots that name none. Secrets are looked up where the operator is told, not beside the bot."""
    limits: Limits = Field(default_factory=Limits)
    """Each limit that a GptBot leaves out."""
    privacy: Privacy = Field(default_factory=Privacy)
    """The same of privacy."""
    gateway: RoleDefaults = Field(default_factory=RoleDefaults)
    """The part that holds the platforms' sessions."""
    workers: RoleDefaults = Field(default_factory=RoleDefaults)
    """The part that answers."""
    pod_template: PodTemplate = Field(default_factory=PodTemplate)
    """Merged into the pods of all bots, each bot's own on top."""


def parse_defaults(document: Any, source: str = "") -> Defaults:
    """Make Defaults of plain data. Raises InvalidManifest with all the faults found."""
    return parse_as(Defaults, document, source)


def fill(bot: GptBot, defaults: Defaults, no_model: str = NO_MODEL) -> GptBot:
    """The bot with what it leaves out filled in (not the pod templates: they are merged where pods are made).

    A bot that names a model of its own gets nothing of the default one: no key may go to another's endpoint.
    Raises InvalidManifest when there is no model then (saying `no_model`), or when the two do not go together.
    """
    spec = bot.spec
    changes: dict[str, Any] = {
        "llm": spec.llm if spec.llm.named else _over(defaults.llm, spec.llm),
        "limits": _over(defaults.limits, spec.limits),
        "privacy": _over(defaults.privacy, spec.privacy),
    }
    for name in ("gateway", "workers"):
        role: Any = getattr(spec, name)
        resources = _resources(getattr(defaults, name).resources, role.resources)
        changes[name] = role.model_copy(update={"resources": resources})
    filled = bot.model_copy(update={"spec": spec.model_copy(update=changes)})
    if not filled.spec.llm.named:
        raise InvalidManifest([Fault("spec.llm", no_model)])
    if faults := sorted(broken_rules(filled, stored=is_stored(bot))):
        raise InvalidManifest([Fault(f.path, f"{f.message} (with the defaults of the installation)") for f in faults])
    return filled


def exposed(bot: GptBot) -> GptBot:
    """The bot with what follows from `spec.expose` filled in: the page's host, the proxy in front, a limit of the bot.

    What it says itself wins, but the host comes to those that it names.
    """
    spec = bot.spec
    web = spec.platforms.web
    if spec.expose is None or web is None or not web.enabled:
        return bot
    hosts = list(dict.fromkeys([spec.expose.host, *web.hosts]))
    proxies = 1 if web.trusted_proxies is None else web.trusted_proxies
    page = web.model_copy(update={"hosts": hosts, "trusted_proxies": proxies})
    limits = spec.limits
    if limits.per_bot is None:
        limits = limits.model_copy(update={"per_bot": EXPOSED_PER_BOT})
    platforms = spec.platforms.model_copy(update={"web": page})
    return bot.model_copy(update={"spec": spec.model_copy(update={"platforms": platforms, "limits": limits})})


def _over(default: _M, own: _M) -> _M:
    """Field by field, whole: half a rate of one and half of the other would be nobody's."""
    return default.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def _resources(default: Resources, own: Resources) -> Resources:
    """Resource by resource: a default limit under a request of the bot's own would be refused by the API server."""
    chosen = own.requests.keys() | own.limits.keys()
    return own.model_copy(
        update={
            name: {k: v for k, v in getattr(default, name).items() if k not in chosen} | getattr(own, name)
            for name in ("requests", "limits")
        }
    )
