"""A message that is still being written: only its last block is rendered again when text is added."""

from __future__ import annotations

from gptbot.platforms.web.markdown import completed, render, split_last_block


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
        """The whole text as it is now."""
        if text == self._text:
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
