"""Takes the thoughts off the beginning of an answer whose server leaves them in its text, as the text comes.

Servers that know a model's template put its reasoning into a field of its own. Others pass on what the model wrote:
`<think>…</think>` and its kin, or the channels of gpt-oss. Only what begins an answer counts, so that a text or code
about such tags stays as it is. Some templates put the opening into the prompt, and the answer has the end alone:
that is looked for in a whole answer (`end_of_unopened`), and from then on its endpoint's answers are held back for it.
"""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think", "longcat_think")
"""Qwen, DeepSeek, GLM, MiniMax and others; prompted models; EXAONE; Seed-OSS; LongCat."""
_TAG: Final = rf"</(?:{'|'.join(_NAMES)})\s{{0,2}}>"
_FINAL: Final = r"<\|channel\|>\s{0,2}final(?:[^<>]{0,20}|\s?<\|constrain\|>[^<>]{0,8})<\|message\|>"
_KINDS: Final = (
    (tuple(f"<{name}>" for name in _NAMES), _TAG),
    (("[think]",), r"\[/THINK\]"),  # Mistral
    (("◁think▷",), r"◁/think▷"),  # Kimi
    (("<|start_thinking|>",), r"<\|END_THINKING\|>"),  # Cohere
    (("<|begin_of_thought|>",), r"<\|end_of_thought\|>"),  # OpenThinker, Sky-T1
    (("<|channel>thought",), r"<channel\|>"),  # Gemma
    (("<|channel|>", "<|start|>assistant<|channel|>"), _FINAL),  # gpt-oss: "OpenAI harmony response format"
)
"""How thoughts begin, in lower case, and the pattern of their end."""
_GLUED: Final = "analysis"
_GLUED_END: Final = re.compile("assistantfinal")
"""The channels of gpt-oss from servers that leave their signs out: `analysisWe think.assistantfinalHello`."""
_CHANNELS: Final = len(_KINDS) - 1
_VOID: Final = tuple(f"<{name}{end}" for name in _NAMES for end in ("/>", " />"))
_CLOSERS: Final = tuple(f"</{name}>" for name in _NAMES)
_WRAPPERS: Final = ("<answer>", "<response>", "<|start_response|>", "<|begin_of_solution|>")
"""What some models put around the answer that follows their thoughts."""

_FLAGS: Final = re.IGNORECASE | re.ASCII  # else a long s is one, and "K" the sign of kelvins
_END_OF: Final = tuple(re.compile(end, _FLAGS) for _, end in _KINDS)
_OPENING: Final = re.compile(
    "|".join(f"(?P<k{n}>{'|'.join(map(re.escape, openings))})" for n, (openings, _) in enumerate(_KINDS))
    + f"|(?P<void>{'|'.join(map(re.escape, (*_VOID, *_CLOSERS, '[/think]', '◁/think▷')))})"
    + f"|(?P<wrapper>{'|'.join(map(re.escape, _WRAPPERS))})",
    _FLAGS,
)
_BEGINNINGS: Final = (
    *(opening for openings, _ in _KINDS for opening in openings), *_VOID, *_CLOSERS, "[/think]", "◁/think▷", *_WRAPPERS,
)  # fmt: skip
_ANY_END: Final = rf"(?:{_TAG}|\[/THINK\]|◁/think▷|{_FINAL})"
_WORD_END: Final = r"(?<=[^\s`'\"\u201c\u201d\u2018\u2019\xab\xbb<>(\[{}\]=|,;:/\\])"
_UNOPENED: Final = re.compile(rf"(?:(?<=\n)|{_WORD_END}){_ANY_END}|{_ANY_END}(?=[ \t]{{0,8}}\n)", _FLAGS)
"""An end in a line of its own, or at the end of a word or a line. A text about such a sign has a space, a quotation
mark or a backtick before it, and goes on behind it."""
_OPENED: Final = re.compile(
    "|".join(re.escape(opening) for openings, _ in _KINDS[:_CHANNELS] for opening in openings), _FLAGS
)
_TEMPLATE: Final = re.compile(r"<\|?\w{1,20}\|?>(?:assistant|model)?")
"""Signs of a template that may be left at the beginning of an answer."""
_NEVER: Final = re.compile(r"(?!)")
_A_WORD: Final = re.compile(r"\w")
_SIGNS_BETWEEN: Final = frozenset("—–-=:/&")
_SIGNS_BEHIND: Final = frozenset(",.:;!?'\"»”’)—–")
"""What goes on with a sentence, behind a space and without one."""
_FIRST_WORDS: Final = 5
"""Characters by which that is known."""
_SPACE: Final = re.compile(r"\s*+")
_CLOSING: Final = re.compile(
    r"\s*+(?:</answer>|</response>|<\|(?:end_response|end_of_solution|return|end)\|>)?+\s*+\Z", _FLAGS
)
"""What may stand behind an answer with something around it."""
_LONGEST: Final = 64
"""Characters of the longest sign of a beginning or an end, with what may have to be seen behind it, and some more."""
_MOST_THOUGHTS: Final = 500_000
"""Characters at the beginning of an answer in which an end without a beginning is looked for: 35 ms at most."""
_MOST_QUOTED: Final = 4
"""Ends in code, or in a text about them, behind which another is looked for."""
_MOST_SPACE: Final = 256
"""Characters of white space that thoughts may stand behind."""


class Thoughts:
    """The filter of one answer. Linear; holds 320 characters at most, but for what may be thoughts and may be text."""

    __slots__ = (
        "_after", "_begun", "_end", "_held", "_opening", "_quoted", "_tail", "_wrapped", "found", "hidden", "over",
    )  # fmt: skip

    def __init__(self, *, begun: bool = False) -> None:
        """`begun`: the answers of this model begin with thoughts whose opening is not in them, if they have any.

        Its text is held back until their end comes, or the end of the answer.
        """
        self._begun = begun
        self._tail = ""
        """What cannot be told yet."""
        self._end: re.Pattern[str] | None = None
        """How the thoughts end that we are in."""
        self._held: list[str] | None = None
        """They, where they may be none after all."""
        self._opening = 0
        """Characters of the sign before them, which is held too."""
        self._quoted = 0
        """Ends among them that a text about such signs has."""
        self._after = False
        """Whether thoughts came before."""
        self._wrapped = False
        """Whether a sign may stand at the end of the answer."""
        self.found = False
        """Whether thoughts ended whose opening was not there."""
        self.hidden = 0
        """Characters left out so far."""
        self.over = False
        """Whether all that comes is text: nothing need be fed any more."""

    def feed(self, text: str) -> str:
        """Take in text and return what of it, and of what was held back, people may see."""
        text, self._tail = self._tail + text, ""
        place: int | None = 0
        while place is not None and place < len(text):
            if self.over or self._wrapped:
                return self._shown(text, place)
            place = self._think(text, place) if self._end is not None else self._begin(text, place)
        return ""

    def end(self, *, cut: bool) -> str:
        """What was held back and is text after all. `cut`: the answer broke off, as at the most tokens it may have."""
        tail, self._tail = self._tail, ""
        if self._wrapped:
            return _CLOSING.sub("", tail, count=1)
        if self._end is None:
            return tail
        held, self._held, self._end = self._held, None, None
        text = "".join([*(held or ()), tail])
        if held is None or cut or (self._opening and not _is_a_word(text, self._opening)):
            self.hidden += len(tail)
            return ""
        self.hidden -= len(text) - len(tail)
        return text

    def _begin(self, text: str, place: int) -> int | None:
        """Look for a beginning of thoughts; where to go on, None where more has to come."""
        start = _space_end(text, place)
        if self._after:
            self.hidden += start - place
            place = start
        if start - place <= _MOST_SPACE:
            if (found := _OPENING.match(text, start)) is not None and (found["wrapper"] is None or self._after):
                return self._open(found)
            rest = text[start : start + _LONGEST]
            if self._may_begin(rest):
                self._tail = text[place:]
                return None
            if rest.startswith(_GLUED) and rest[len(_GLUED)].isupper():
                self._end, self._held = _GLUED_END, []
                return place
        if self._begun and not self._after:
            self._end, self._held = _UNOPENED, []
            return place
        self.over = True
        return place

    def _may_begin(self, rest: str) -> bool:
        low = rest.lower()
        return rest == _GLUED[: len(rest)] or any(beginning.startswith(low) for beginning in _BEGINNINGS)

    def _open(self, found: re.Match[str]) -> int:
        kind = found.lastgroup or ""
        if kind.startswith("k"):
            number = int(kind[1:])
            self._end = _END_OF[number]
            if number != _CHANNELS and not self._after:  # it may be the first word of a sentence
                self._held, self._opening = [found[0]], len(found[0])
            if number == _CHANNELS:  # the end may be the whole of it
                return found.end() - len("<|channel|>")
        elif kind == "wrapper":
            self._wrapped = True
        elif not self._after and found[0].startswith(("</", "[/", "◁/")):
            self.found = True
        self._after = True
        self.hidden += found.end() - found.start()
        return found.end()

    def _think(self, text: str, place: int) -> int | None:
        """Go on to the end of the thoughts, or leave them out so far as they have come."""
        end = self._end
        assert end is not None
        if self._opening and len(self._held or ()) == 1 and len(text) - place >= _FIRST_WORDS:
            self._held = self._held if _is_a_word(text, place) else None
        begun, found = place, end.search(text, place)
        while found is not None and end is _UNOPENED and self._is_quoted(text, begun, found.start()):
            self._quoted += 1
            if self._quoted > _MOST_QUOTED:
                self._end = end = _NEVER
            place = found.end()
            found = end.search(text, place)
        if found is None:
            kept = max(place, len(text) - _LONGEST)
            self._hide(text[begun:kept])
            self._tail = text[kept:]
            return None
        self._hide(text[begun : found.end()])
        self.found = self.found or end is _UNOPENED
        self._wrapped = "final" in found[0].lower()
        self._end, self._held, self._opening, self._after = None, None, 0, True
        return found.end()

    def _is_quoted(self, text: str, begun: int, end: int) -> bool:
        """Whether an end without a beginning stands in what is about such signs, in code or in words."""
        before = "".join([*(self._held or ()), text[begun:end]])
        return len(before) <= _MOST_THOUGHTS and _is_about(before, len(before))

    def _hide(self, text: str) -> None:
        self.hidden += len(text)
        if self._held is not None and text:
            self._held.append(text)

    def _shown(self, text: str, place: int) -> str:
        if not self._wrapped:
            return text[place:]
        if self._after:
            place = _space_end(text, place)
            self._after = place == len(text)
        kept = max(place, len(text) - _LONGEST)
        self._tail = text[kept:]
        return text[place:kept]


def end_of_unopened(text: str) -> int | None:
    """Where the answer begins behind thoughts whose opening is not there. None: there are none, or nothing else."""
    found = _UNOPENED.search(text, 0, _MOST_THOUGHTS)
    if found is None or _is_about(text, found.start()):
        return None
    start = _space_end(text, found.end())
    return start if start < len(text) else None


def _is_about(text: str, end: int) -> bool:
    """Whether a text is about such signs, where one of an end stands: it is in code, or has its beginning in the text.

    Before that are words then, not only what a template leaves.
    """
    if text.count("```", 0, end) % 2 or text.count("~~~", 0, end) % 2:
        return True
    if text.count("`", text.rfind("\n", 0, end) + 1, end) % 2:
        return True
    opened = _OPENED.search(text, 0, end)
    return opened is not None and _A_WORD.search(_TEMPLATE.sub("", text[: opened.start()])) is not None


def _is_a_word(text: str, place: int) -> bool:
    """Whether what stands before a place is a word of a sentence: `<think> is a tag`, `<think>, so to speak`.

    Thoughts begin in a new line, or with a capital letter.
    """
    behind = text[place : place + _FIRST_WORDS]
    word = behind.lstrip(" \t")[:1]
    return word.islower() or word in _SIGNS_BETWEEN if word and word != behind[:1] else word in _SIGNS_BEHIND


def without_unopened(text: str) -> str:
    """A text without thoughts that begin it and whose opening is not there."""
    start = end_of_unopened(text)
    return text if start is None else text[start:]


def _space_end(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return place if found is None else found.end()
