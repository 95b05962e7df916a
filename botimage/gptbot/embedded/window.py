"""The window of the embedded model, for those who reckon with it and do not load it."""

from __future__ import annotations

from gptbot_api.llm import Llm

CONTEXT_WINDOW = 2048
"""Tokens each answer has for its prompt and itself. The model could take 8192, but at CPU speed nobody would wait."""
FILE_WINDOW = 4096
"""The same for a model of an owner's own file, where `spec.llm.contextWindow` does not say: it takes memory."""
ANSWER_SECONDS = 30
"""Seconds that an answer of the model that comes along may take: it is small, and what takes longer hangs."""


def window_of(llm: Llm) -> int:
    """Tokens that a request to the bot's model may have, its answer included."""
    if llm.embedded is None:
        return llm.context_window
    if llm.built_in:
        return min(llm.context_window, CONTEXT_WINDOW)
    return llm.context_window if "context_window" in llm.model_fields_set else FILE_WINDOW
