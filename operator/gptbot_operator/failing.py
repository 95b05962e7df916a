"""A look that ended with an error which no condition foresees: said in the bot's status.

The owner of a bot cannot read the operator's log, and would go on reading how the bot was before.
"""

from __future__ import annotations

from gptbot_operator.cluster import ApiError, Document
from gptbot_operator.status import CONDITIONS, with_times
from gptbot_operator.verdict import Verdict

REASON = "OperatorError"
_REFUSED = range(400, 500)
_PASSING = (404, 409, 429)
"""Refusals that the next look does not meet."""


def is_worth_telling(error: Exception) -> bool:
    """Whether an error of a look is likely to come again; the API server being away is not, nor could it be told."""
    return not isinstance(error, ApiError) or (error.status in _REFUSED and error.status not in _PASSING)


def failed_status(document: Document, error: Exception, now: str) -> Document:
    """The status of a bot after such a look: the one of before, and Ready is unknown.

    Of an error that is not the API server's only the kind is told: its text may hold what nobody may read.
    """
    previous: Document = document.get("status") or {}
    if isinstance(error, ApiError):
        what = f"the API server refuses the operator what it needs: {error}"
    elif isinstance(error, TimeoutError):
        what = "a look at the bot takes the operator too long"
    else:
        what = f"the operator failed with {type(error).__name__}; its log tells where"
    ready = Verdict("Unknown", REASON, f"{what}. What runs of the bot stays as it is, and the operator tries again")
    before = {c["type"]: Verdict(c["status"], c["reason"], c["message"]) for c in previous.get("conditions") or []}
    others = {name: before.get(name, Verdict("Unknown", REASON)) for name in CONDITIONS[1:]}
    generation = int(previous.get("observedGeneration") or 0)
    return previous | {
        "observedGeneration": generation,
        "conditions": with_times(before | {"Ready": ready} | others, previous, generation, now),
    }
