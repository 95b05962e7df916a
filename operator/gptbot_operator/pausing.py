"""The pause of a bot: an annotation that keeps the operator's hands off its objects, for repairs by hand."""

from __future__ import annotations

from collections.abc import Mapping

from gptbot_operator.desired.context import PAUSED_ANNOTATION
from gptbot_operator.verdict import Verdict

_SHOWN = 40
"""Characters of a wrong value that are shown."""


def is_paused(annotations: Mapping[str, str]) -> bool:
    """Whether a GptBot with these annotations is paused."""
    return annotations.get(PAUSED_ANNOTATION) == "true"


def paused(annotations: Mapping[str, str]) -> Verdict | None:
    """The condition Paused; None where nobody asked for a pause."""
    value = annotations.get(PAUSED_ANNOTATION, "false")
    if value == "true":
        text = f"nothing of the bot is made, changed or removed until the annotation {PAUSED_ANNOTATION} is taken away"
        return Verdict("True", "Paused", text)
    if value == "false":
        return None
    text = f"the annotation {PAUSED_ANNOTATION} is {value[:_SHOWN]!r}; only true pauses, and false or none goes on"
    return Verdict("False", "InvalidValue", text)


def waiting(generation: int, applied: int) -> Verdict | None:
    """The condition Progressing of a paused bot; None where no change of the spec waits. `applied`: 0, none yet."""
    if applied == generation:
        return None
    so_far = f"generation {applied} was acted on last" if applied else "nothing is made yet"
    return Verdict("False", "Paused", f"generation {generation} of the spec waits for the end of the pause; {so_far}")
