"""Finds that a text has come to repeat itself without end, as answers of small models do. Linear in its length.

A loop is one piece of text over and over, the very same, at the end of what came so far. Much that is meant so looks
alike: rules (`----`), empty rows of tables, zeros, refrains. So it has to go on for long, and for longer where no word
is in it, and in code, tables and HTML, whose lines are often the same.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 8192 - 512
"""Characters of the longest piece whose repetition is found."""
_STEP: Final = 256
"""Characters between two looks."""
_SAMPLE: Final = 32
"""Characters by which text is known again."""
_RENEWED: Final = (1024, 8192)
"""Characters after which a sample is replaced by a newer one: one finds short pieces soon, one finds long ones."""
_WORDS, _SIGNS = 1500, 8000
"""Characters of repetition that are no loop yet, where there are words in it and where there are none."""
_TIMES: Final = 3
"""As many times more has the piece itself to come."""
_FENCE: Final = "```"
_MARKUP: Final = re.compile(r"\n[ \t]{0,16}\||</[a-z]")
"""A row of a table, or the end of an element of HTML."""
_A_WORD: Final = re.compile(r"[^\W\d_]{2}")
_WORD_END: Final = re.compile(r"\S{0,64}")


class _Sample:
    """A piece of the text, and what was seen of it again."""

    __slots__ = ("_renewed", "end", "period", "repeated", "text")

    def __init__(self, renewed: int) -> None:
        self._renewed = renewed
        self.text = ""
        self.end = 0
        """Where it ends in the whole text."""
        self.period = 0
        """How far behind it was seen again; 0: nowhere yet."""
        self.repeated = 0
        """Characters since then that were all the same as those one period before."""

    def look(self, seen: str, block: int, total: int) -> None:
        """Take in the newest `block` characters of what was `seen`; the whole text has `total`."""
        if self.period:
            start = len(seen) - block
            if seen.startswith(seen[start - self.period : len(seen) - self.period], start):
                self.repeated += block
                return
        else:
            begin = max(0, len(seen) - block - _SAMPLE + 1)
            found = seen.find(self.text, begin) if self.text else -1
            if found >= 0:
                self.period, self.repeated = total - len(seen) + found + _SAMPLE - self.end, 0
                return
            if self.text and total - self.end < self._renewed:
                return
        self.text, self.end, self.period = seen[-_SAMPLE:], total, 0


class Loops:
    """Reads one text as it grows."""

    __slots__ = ("_fences", "_new", "_samples", "_seen", "_total", "_unread")

    def __init__(self) -> None:
        self._samples = [_Sample(renewed) for renewed in _RENEWED]
        self._seen = ""
        """The end of what was looked at, of at most `LONGEST` and two steps."""
        self._total = 0
        """Characters looked at."""
        self._fences = 0
        """Fences of code in them."""
        self._new: list[str] = []
        self._unread = 0

    def feed(self, text: str) -> int:
        """Take in text. Returns the length of the piece that it has come to repeat; 0 while it does not."""
        self._new.append(text)
        self._unread += len(text)
        if self._unread < _STEP:
            return 0
        new = "".join(self._new)
        place = 0
        while len(new) - place >= _STEP:
            if period := self._look(new[place : place + _STEP]):
                return period
            place += _STEP
        self._new, self._unread = [new[place:]], len(new) - place
        return 0

    def _look(self, block: str) -> int:
        begun = "" if self._seen.endswith(_FENCE) else self._seen[-2:]  # a fence may lie in both
        self._fences += (begun + block).count(_FENCE)
        self._seen = self._seen[-LONGEST - _STEP :] + block
        self._total += len(block)
        for sample in self._samples:
            sample.look(self._seen, len(block), self._total)
            if sample.period > LONGEST:
                sample.period = 0
            elif sample.period and self._is_loop(sample):
                return sample.period
        return 0

    def _is_loop(self, sample: _Sample) -> bool:
        period, beyond = sample.period, sample.repeated - _TIMES * sample.period
        if beyond < _WORDS:
            return False
        if beyond >= _SIGNS:
            return True
        if self._fences % 2 or _MARKUP.search(self._seen[-period - _SAMPLE :]) is not None:
            return False
        return _A_WORD.search(self._seen[-period - 1 :]) is not None


def without_repeats(text: str, period: int) -> str:
    """A text that ends with a piece of so many characters over and over, with the piece but once.

    It ends with a whole word and the sign behind it.
    """
    end, step = len(text), _STEP
    while end > period:  # what stands before `end` is the same as one period before, as far as was looked
        begin = max(period, end - step)
        if text[begin:end] == text[begin - period : end - period]:
            end = begin
        elif step == 1:
            break
        else:
            step = max(1, step // 2)
    word = _WORD_END.match(text, end)
    return text[: end if word is None else min(word.end(), end + period)]
