"""One turn: from a claimed message to a finished reply (`turn.py`), with commands, personas and context."""
