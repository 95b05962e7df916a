"""The window of the embedded model, for those who reckon with it and do not load it."""

CONTEXT_WINDOW = 2048
"""Tokens each answer has for its prompt and itself. The model could take 8192, but at CPU speed nobody would wait."""
