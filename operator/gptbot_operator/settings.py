"""What the operator is told by its environment (docs/operator.md lists the variables)."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import yaml

from gptbot_api import InvalidManifest
from gptbot_api.base import seconds
from gptbot_api.defaults import Defaults, parse_defaults
from gptbot_api.store_url import CA_VARIABLE, trusting
from gptbot_operator.store_allowance import Allowance
from gptbot_operator.tenancy.allowed import NotAnEntry, Tenancy
from gptbot_operator.tenancy.hosts import addresses, own_addresses
from gptbot_operator.waves import Most

T = TypeVar("T")
_NAMESPACE = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
DEFAULT_SHARE = "25%"
COPY_PREFIX = "default_"
"""What the keys of copied default Secrets begin with in a bot's Secret; the name and key of the original follow."""
_LONGEST_KEY = 253
_MOST_AUTHORITIES = 64 * 1024
"""Bytes of certificates: they go to the bots in an environment variable, and Linux takes 128 KiB in one."""
_ISOLATION = ("auto", "required", "off")
_TENTH = Most(10, percent=True)
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")


class InvalidSettings(ValueError):
    """An environment variable is missing or makes no sense; the text names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The operator's settings."""

    image: str
    """Image of the bot's pods."""
    image_pull_policy: str = "IfNotPresent"
    """Of the bot's pods."""
    store_url: str | None = field(default=None, repr=False)
    """The store shared by bots that name none; holds a password, and the authorities to trust if there are any."""
    store_isolation: Literal["auto", "required", "off"] = "auto"
    """Whether bots get users of their own in the shared store: where it lets them be made, always, never."""
    store_share: Allowance = field(default_factory=lambda: Allowance.parse(DEFAULT_SHARE))
    """How much of the shared store one bot may fill."""
    model_url: str | None = None
    """OpenAI base URL of the embedded model."""
    defaults: Defaults = field(default_factory=Defaults, repr=False)
    """What GptBots get that leave it out."""
    default_keys: Path | None = None
    """Where the Secrets are mounted that the defaults refer to: `NAME/KEY`."""
    tenancy: Tenancy = field(default_factory=lambda: Tenancy.from_environment({}, own_addresses()))
    """What GptBots may ask for."""
    namespaces: tuple[str, ...] = ()
    """Namespaces to serve; none: all."""
    lease: str = ""
    """`NAMESPACE/NAME` of the Lease that one of several operators holds; empty: this is the only one."""
    lease_seconds: float = 15
    """How long a Lease lasts that is not renewed."""
    takeover_seconds: float = 600
    """For how long another installation must be gone before its bots are taken over."""
    refresh_seconds: float = 15
    """How often backlog and platforms are read from the store."""
    resync_seconds: float = 600
    """How often everything of a bot is applied again without a reason."""
    rollout_most: Most = _TENTH
    """How many bots get new pods at a time."""
    rollout_pause: float = 30
    """Seconds between a bot that works with its new pods and the next one."""
    concurrency: int = 8
    """Bots reconciled at the same time."""
    log_level: str = "INFO"
    """Of the operator's own log."""
    health_port: int = 8080
    """Liveness."""
    metrics_port: int = 9090
    """Prometheus."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings. Raises InvalidSettings."""
        image = environment.get("GPTBOT_IMAGE", "")
        if not image:
            raise InvalidSettings("GPTBOT_IMAGE is not set; set it to the image of the bot")
        policy = environment.get("GPTBOT_IMAGE_PULL_POLICY") or "IfNotPresent"
        if policy not in _PULL_POLICIES:
            raise InvalidSettings(
                f"GPTBOT_IMAGE_PULL_POLICY must be one of {', '.join(_PULL_POLICIES)}, not {policy!r}"
            )
        level = (environment.get("GPTBOT_LOG_LEVEL") or "INFO").upper()
        if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise InvalidSettings(f"GPTBOT_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {level!r}")
        isolation = environment.get("GPTBOT_STORE_ISOLATION") or "auto"
        if isolation not in _ISOLATION:
            raise InvalidSettings(f"GPTBOT_STORE_ISOLATION must be auto, required or off, not {isolation!r}")
        namespaces = tuple(sorted(filter(None, map(str.strip, environment.get("GPTBOT_NAMESPACES", "").split(",")))))
        for namespace in namespaces:
            if not _NAMESPACE.match(namespace):
                raise InvalidSettings(f"GPTBOT_NAMESPACES: {namespace!r} is no name of a namespace; separate by commas")
        defaults = _defaults(environment.get("GPTBOT_DEFAULTS"))
        return cls(
            image=image,
            image_pull_policy=policy,
            store_url=_store_url(environment.get("GPTBOT_STORE_URL"), environment.get(CA_VARIABLE)),
            store_isolation=isolation,
            store_share=_parsed(environment, "GPTBOT_STORE_SHARE", DEFAULT_SHARE, Allowance.parse),
            model_url=environment.get("GPTBOT_MODEL_URL") or None,
            defaults=defaults,
            default_keys=Path(secrets) if (secrets := environment.get("GPTBOT_DEFAULT_KEYS")) else None,
            tenancy=_tenancy(environment, defaults),
            namespaces=namespaces,
            lease=_lease(environment.get("GPTBOT_LEASE", "")),
            lease_seconds=_number(environment, "GPTBOT_LEASE_SECONDS", 15, 3),
            takeover_seconds=_number(environment, "GPTBOT_TAKEOVER_SECONDS", 600, 3),
            refresh_seconds=_number(environment, "GPTBOT_REFRESH_SECONDS", 15, 0.2),
            resync_seconds=_number(environment, "GPTBOT_RESYNC_SECONDS", 600, 1),
            rollout_most=_parsed(environment, "GPTBOT_ROLLOUT_MAX_UNAVAILABLE_BOTS", "10%", Most.parse),
            rollout_pause=_pause(environment.get("GPTBOT_ROLLOUT_PAUSE")),
            concurrency=int(_number(environment, "GPTBOT_CONCURRENCY", 8, 1)),
            log_level=level,
            health_port=int(_number(environment, "GPTBOT_HEALTH_PORT", 8080, 1)),
            metrics_port=int(_number(environment, "GPTBOT_METRICS_PORT", 9090, 1)),
        )


def _store_url(text: str | None, authorities: str | None) -> str | None:
    """Bots get the authorities within the URL: the file is there for the operator alone."""
    if not text or not authorities:
        return text or None
    try:
        pem = Path(authorities).read_text()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise InvalidSettings(f"{CA_VARIABLE}: {authorities} holds no certificate (PEM)") from None
    except OSError as error:
        raise InvalidSettings(f"{CA_VARIABLE}: {authorities} cannot be read: {error.strerror}") from None
    if len(pem) > _MOST_AUTHORITIES:
        raise InvalidSettings(
            f"{CA_VARIABLE}: {authorities} has more than {_MOST_AUTHORITIES // 1024} KiB; give the store's only"
        )
    return trusting(text, pem)


def _parsed(environment: Mapping[str, str], name: str, default: str, parse: Callable[[str], T]) -> T:
    """A variable, by a parser whose ValueError says what may stand there."""
    try:
        return parse(environment.get(name) or default)
    except ValueError as error:
        raise InvalidSettings(f"{name} {error}") from None


def _pause(text: str | None) -> float:
    if text in ("0", "0s"):
        return 0.0
    try:
        return float(seconds(text or "30s"))
    except ValueError:
        raise InvalidSettings(f"GPTBOT_ROLLOUT_PAUSE must be a duration such as 0s, 30s or 5m, not {text!r}") from None


def _lease(text: str) -> str:
    namespace, _, name = text.partition("/")
    if text and (not _NAMESPACE.match(namespace) or not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name)):
        raise InvalidSettings(f"GPTBOT_LEASE must be NAMESPACE/NAME of a Lease, not {text!r}")
    return text


def _defaults(name: str | None) -> Defaults:
    if not name:
        return Defaults()
    try:
        document = yaml.safe_load(Path(name).read_text()) or {}
    except OSError as error:
        raise InvalidSettings(f"GPTBOT_DEFAULTS: {name} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise InvalidSettings(f"GPTBOT_DEFAULTS: {name} is not valid YAML: {error}") from None
    try:
        defaults = parse_defaults(document, f"GPTBOT_DEFAULTS: {name}")
    except InvalidManifest as error:
        raise InvalidSettings(str(error)) from None
    for reference in _key_references(defaults.model_dump(by_alias=True)):
        if len(f"{COPY_PREFIX}{reference['name']}_{reference['key']}") > _LONGEST_KEY:
            raise InvalidSettings(
                f"GPTBOT_DEFAULTS: the names of Secret {reference['name']!r} and its key are too long"
            )
    return defaults


def _tenancy(environment: Mapping[str, str], defaults: Defaults) -> Tenancy:
    own = [*own_addresses(), *(address for _, address in addresses(defaults, ""))]
    if model := environment.get("GPTBOT_MODEL_URL"):
        own.append(model)
    try:
        return Tenancy.from_environment(environment, own)
    except NotAnEntry as error:
        raise InvalidSettings(str(error)) from None


def _key_references(node: Any) -> Iterator[dict[str, str]]:
    children = cast("dict[str, Any]", node).items() if isinstance(node, dict) else ()
    for field_name, value in children:
        if field_name == "apiKeySecretRef" and value is not None:
            yield value
        for item in cast("list[Any]", value) if isinstance(value, list) else [value]:
            yield from _key_references(item)


def _number(environment: Mapping[str, str], name: str, default: float, least: float) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise InvalidSettings(f"{name} must be a number, not {text!r}") from None
    if not least <= value < 1e9:
        raise InvalidSettings(f"{name} must be at least {least:g}, not {text}")
    return value
