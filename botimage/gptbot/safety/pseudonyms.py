"""Names for the people of a group chat: the model tells them apart, and learns nothing of who they are.

The same person has the same name in a chat, and another one in another chat.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from gptbot.inbox.keys import BotKeys
from gptbot.platforms.inbound import PERSON_END, PERSON_START, PERSON_WRITTEN

_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""Base58: what looks like another letter is not in it, since models have to copy it."""
_LENGTH = 4
"""11 million names: of 100 people in a chat, two have the same one in one chat of 2,300."""
_WORD = f"([^{PERSON_START}{PERSON_END}{PERSON_WRITTEN}]{{1,64}})"
_MARK = re.compile(f"{PERSON_START}{_WORD}(?:{PERSON_WRITTEN}{_WORD})?{PERSON_END}")


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The names of one conversation."""

    keys: BotKeys
    platform: str
    conversation: str
    """The platform's id of the conversation."""

    def of(self, person: str) -> str:
        """The name of a person, by the id that the platform marks them with: `user-k3Fq`, for instance."""
        digest = self.keys.pseudonym(self.platform, "speaker", self.conversation, person)
        number = int.from_bytes(digest.encode()[:16], "big") % len(_LETTERS) ** _LENGTH
        letters = ""
        for _ in range(_LENGTH):
            number, place = divmod(number, len(_LETTERS))
            letters += _LETTERS[place]
        return f"user-{letters}"

    def perhaps(self, *texts: str) -> set[str]:
        """The names of those in texts who may be people (`platforms.inbound.perhaps_person`)."""
        marks = (mark for text in texts if PERSON_WRITTEN in text for mark in _MARK.finditer(text))
        return {self.of(mark[1]) for mark in marks if mark[2] is not None}

    def put_in(self, text: str, known: Collection[str] = ()) -> str:
        """The text with `@` and a name in the place of each mark of a person (`platforms.inbound.person`).

        `known`: those of `perhaps` who are people; of the others, what is written stays.
        """
        if PERSON_START not in text:
            return text
        return _MARK.sub(lambda mark: self._named(mark, known), text)

    def _named(self, mark: re.Match[str], known: Collection[str]) -> str:
        name, written = self.of(mark[1]), mark[2]
        return f"@{name}" if written is None or name in known else written
