"""Goes on with an answer that was cut: by the button below it, or by `!continue`.

A button names the answer that it stands below, so that it means no other: once that was gone on with, or another
question was answered, it means nothing.
"""

from __future__ import annotations

import re
from typing import Final

from gptbot.conversation.context import entry_of
from gptbot.inbox.claims import Claim
from gptbot.inbox.envelope import CONTINUE, PRESSED
from gptbot.inbox.keys import BotKeys

CUTS: Final = frozenset({"cut-length", "cut-filter", "cut-time"})
"""Why an answer ended that may be gone on with, as `Claim.cut` says it."""
_GO_ON: Final = (
    "Your last answer was cut off in its middle. Go on right where it ends, in its language and form: begin with its "
    "last word, written out in full, repeat nothing else of it, and introduce nothing. It ends with:\n\n{end}"
)
_END: Final = 300
"""Characters of the answer that are told once more."""
_REPEATED: Final = 8
"""Characters that are the same by no accident."""
_LAST_WORD: Final = re.compile(r"\w{1,40}\Z")
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Letters of Thai, Lao, Burmese, Khmer, Chinese and Japanese, which have no spaces between words."""
_MARK: Final = 11
"""Characters that name an answer."""


def question(answer: str) -> str:
    """What the model is asked, to go on with an answer."""
    return _GO_ON.format(end=answer[-_END:])


def meant(keys: BotKeys, claim: Claim) -> str | None:
    """The answer that is to be gone on with; None where there is none, or the button is of another one."""
    found = entry_of(claim.context[-1]) if claim.context else None
    if found is None or found[0] != "assistant" or not found[1].strip():
        return None
    pressed = (claim.messages[0].values or {}).get(PRESSED)
    return found[1] if pressed is None or pressed == _mark(keys, claim, found[1]) else None


def command(keys: BotKeys, claim: Claim, answer: str) -> str:
    """The command of a button that goes on with an answer of this turn: each button's is its own."""
    return f"{CONTINUE} {_mark(keys, claim, answer)}.{claim.token}"


def joined(answer: str, more: str) -> str:
    """An answer and what follows as one: a word that was cut is whole, and one that was whole not run into the next.

    What follows may begin with more of the answer's end than its last word; that is there once.
    """
    unspaced = _UNSPACED.match(answer[-1:]) is not None
    for length in range(min(_END, len(more), len(answer)), 0 if unspaced else _REPEATED - 1, -1):
        if answer.endswith(more[:length]):
            return f"{answer}{more[length:]}"
    if (word := _LAST_WORD.search(answer[-_END:])) is not None and more.startswith(word[0]):
        return f"{answer[: -len(word[0])]}{more}"
    run_in = unspaced or _UNSPACED.match(more) is not None or not (answer[-1:].isalnum() and more[:1].isalnum())
    between = "" if run_in else " "
    return f"{answer}{between}{more}"


def _mark(keys: BotKeys, claim: Claim, answer: str) -> str:
    return keys.pseudonym("answer", claim.conversation, answer)[:_MARK]
