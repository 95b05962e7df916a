"""A message that is still being written: only its last block is rendered again when text is added."""

from __future__ import annotations

from typing import Final

from gptbot.platforms.web.markdown import completed, render, split_last_block

_LONG: Final = 8192
"""Characters of a last block from which on it is rendered again only when it grew by `_STEP` of itself."""
_STEP: Final = 1 / 16


class LiveMessage:
    """Blocks that will not change any more, and the one at the end that may."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        """HTML of the blocks that are done."""
        self.tail = ""
        """HTML of the last block, unfinished Markdown closed."""
        self.generation = 0
        """Grows when text was replaced, not added: then `blocks` started anew."""
        self._text = ""
        self._done = 0

    def update(self, text: str) -> None:
        """The whole text as it is now. A last block that is long is left as it was until it is worth the work."""
        if text == self._text or self._hardly_grew(text):
            return
        if not text.startswith(self._text[: self._done]):
            self.blocks, self._done = [], 0
            self.generation += 1
        self._text = text
        finished, last = split_last_block(text[self._done :])
        if finished:
            self.blocks.append(render(finished))
            self._done += len(finished)
        self.tail = render(completed(last))

    def _hardly_grew(self, text: str) -> bool:
        tail = len(text) - self._done
        return tail > _LONG and text.startswith(self._text) and len(text) - len(self._text) < tail * _STEP
