"""Which role is in force in a conversation."""

from __future__ import annotations

from collections.abc import Mapping

from gptbot_api.spec import GptBotSpec, Persona


def in_force(spec: GptBotSpec, settings: Mapping[str, str]) -> Persona:
    """The persona chosen in the conversation, else the bot's default; one that is gone counts as not chosen."""
    chosen = spec.persona(settings["persona"]) if settings.get("persona") else None
    default = chosen or spec.persona()
    assert default is not None  # the rules of the API see to it
    return default


def title(spec: GptBotSpec, name: str) -> str:
    """What people see for a persona's name."""
    persona = spec.persona(name)
    return (persona.title or persona.name) if persona else name
