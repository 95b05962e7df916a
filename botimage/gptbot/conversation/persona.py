"""Which role is in force in a conversation: one of the bot's personas, or one that somebody there has put in words."""

from __future__ import annotations

from collections.abc import Mapping

from gptbot.locales import Texts
from gptbot_api.spec import GptBotSpec, Persona

OFF = "off"
"""Instead of a persona's name: back to the one that the bot starts with."""
_SHOWN = 100
"""Characters of a role in words that are shown where it is only named."""


def in_force(spec: GptBotSpec, settings: Mapping[str, str]) -> Persona:
    """The persona chosen in the conversation, else the bot's default; one that is gone counts as not chosen."""
    chosen = spec.persona(settings["persona"]) if settings.get("persona") else None
    default = chosen or spec.persona()
    assert default is not None  # the rules of the API see to it
    return default


def own_role(spec: GptBotSpec, settings: Mapping[str, str]) -> str | None:
    """The role that somebody there has put in words (`!act`), while the bot allows such; it comes before a persona."""
    return (settings.get("act") or None) if spec.custom_persona == "allowed" else None


def named(spec: GptBotSpec, wanted: str) -> Persona | None:
    """The persona of that name or title, whatever the case and the spaces between words."""
    wanted = " ".join(wanted.casefold().split())
    return next((p for p in spec.personas if wanted in (p.name, " ".join(p.title.casefold().split()))), None)


def title(spec: GptBotSpec, name: str) -> str:
    """What people see for a persona's name."""
    persona = spec.persona(name)
    return (persona.title or persona.name) if persona else name


def role(spec: GptBotSpec, settings: Mapping[str, str], texts: Texts) -> str:
    """What people see for the role in force, in quotes where it is in somebody's own words."""
    own = own_role(spec, settings)
    if own is None:
        return title(spec, in_force(spec, settings).name)
    words = " ".join(own.split())
    return texts("role-own", role=words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1].rstrip()}…")


def locked(settings: Mapping[str, str]) -> bool:
    """Whether only administrators of the chat may change its role."""
    return settings.get("persona_lock") == "on"
