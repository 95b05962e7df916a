"""What the words before a number say it is: the last one that says anything, on the same line and near."""

from __future__ import annotations

import re


class Subjects:
    """Searches the words before the numbers of one text, asked for in order; no part of the text is searched twice."""

    def __init__(self, words: re.Pattern[str], text: str, reach: int) -> None:
        """`words` has a group for each subject; a word counts up to `reach` characters before the number."""
        self._words = words
        self._text = text
        self._reach = reach
        self._searched = 0
        self._last: tuple[int, str] | None = None
        """Where the last word ends, and its group."""

    def of(self, start: int, upto: int | None = None, *, line_above: bool = False) -> str | None:
        """The subject of a number that begins at `start`; words that end in it count as far as `upto`.

        With `line_above` a number on a line of its own belongs to the line above.
        """
        near = max(0, start - self._reach)
        end = start if upto is None else upto
        for word in self._words.finditer(self._text, max(self._searched, near), end):
            self._last = (word.end(), word.lastgroup or "")
        self._searched = max(self._searched, end)
        if self._last is None or self._last[0] < near:
            return None
        place, subject = self._last
        between = self._text[place:start]
        return None if "\n" in (between.rstrip() if line_above else between) else subject

    def ends_at(self, start: int) -> bool:
        """Whether the last word found ends right there."""
        return self._last is not None and self._last[0] == start
