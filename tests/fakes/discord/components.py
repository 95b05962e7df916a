"""Buttons below messages, as strict as Discord is about them (docs/components/reference)."""

from __future__ import annotations

from typing import Any, Final

from tests.fakes.discord.errors import Json, invalid_form

_ACTION_ROW, _BUTTON = 1, 2
_STYLES: Final = (1, 2, 3, 4)
"""Those with a `custom_id`."""


def checked_components(components: Any) -> list[Json]:
    """Rows of buttons. Raises as Discord does."""
    if not isinstance(components, list) or len(components) > 5:
        raise invalid_form("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    seen: set[str] = set()
    for number, row in enumerate(components):
        where = f"components.{number}"
        if not isinstance(row, dict) or row.get("type") != _ACTION_ROW:
            raise invalid_form(f"{where}.type", "BASE_TYPE_CHOICES", "Value must be one of (1,).")
        buttons = row.get("components")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= 5:
            raise invalid_form(f"{where}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        for place, button in enumerate(buttons):
            _check_button(button, f"{where}.components.{place}", seen)
    return components


def _check_button(button: Any, where: str, seen: set[str]) -> None:
    if not isinstance(button, dict) or button.get("type") != _BUTTON:
        raise invalid_form(f"{where}.type", "BASE_TYPE_CHOICES", "Value must be one of (2, 3, 4, 5, 6, 7, 8).")
    if button.get("style") not in _STYLES:
        raise invalid_form(f"{where}.style", "BASE_TYPE_CHOICES", f"Value must be one of {_STYLES}.")
    label, custom_id = button.get("label"), button.get("custom_id")
    if not isinstance(label, str) or not label or len(label) > 80:
        raise invalid_form(f"{where}.label", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 80 in length.")
    if not isinstance(custom_id, str) or not custom_id or len(custom_id) > 100:
        raise invalid_form(f"{where}.custom_id", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if custom_id in seen:
        raise invalid_form(
            f"{where}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
        )
    seen.add(custom_id)
