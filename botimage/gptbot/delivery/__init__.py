"""From a growing reply to messages on a platform: splitting without loss (`split.py`), the live message (`live.py`)."""
