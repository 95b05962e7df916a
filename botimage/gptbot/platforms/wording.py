"""What of a platform's own words about an error may be said in logs: those that such errors are made of.

Platforms quote what they refuse: a piece of the text, an id, a name. Anything that is not known to be an error's own
word is left out, so that an unknown error loses words, and no person is named.
"""

from __future__ import annotations

import re
from typing import Final

_CODE = re.compile(r"[A-Z]{3,}(?:_[A-Z]{2,})+")
_AROUND: Final = "\"'`:;,.()[]{}<>!?-"
_LEFT_OUT: Final = "…"
_LONGEST: Final = 160
_VOCABULARY: Final = """
a access action actions address administrator administrators allowed already an and any application archived are
array as at attachment bad be been blocked body bot bots button buttons by byte can can't cannot certificate
changed channel channels chat chats closed command commands conflict connection content deactivated deleted
description direct disabled do document does doesn't draft edit edited empty enabled encoding end entities entity
error exceeded exist expected expired failed field file files find for forbidden form found from gone group groups
guild has have host html http https identifier in initiate input intent intents interaction invalid ip is it its
json keyboard kicked kind large least length limit list locked long longer lost many markup maximum member members
mention message messages method migrated missing mode modified more most must name need no non-empty not object of
offset old only or out over own parameter parse permission permissions photo port ports private provided query
rate reached reactions recipient refused removed replied reply request requests required reserved resolve response
retry rights role same secret self-signed send sending sent server service set size slow slowmode specified ssl
start supergroup supported tag text than the this thread timed timeout tls to token too topic type unallowed
unauthorized unavailable unknown unset unsupported upgraded url user users valid value verify was webhook were
whole with without write wrong you your
"""
_WORDS: Final = frozenset(_VOCABULARY.split())


def wording(text: str) -> str:
    """The text with `…` in the place of all that may be quoted from a message, or name somebody."""
    told: list[str] = []
    for word in text[: 4 * _LONGEST].split():
        core = word.strip(_AROUND)
        if not core or core.lower() in _WORDS or _CODE.fullmatch(core):
            told.append(word)
        elif told[-1:] != [_LEFT_OUT]:
            told.append(_LEFT_OUT)
    return " ".join(told)[:_LONGEST]
