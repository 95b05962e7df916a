"""The children of typical bots as golden files: `expected/BOT/KIND-NAME.yaml`.

`UPDATE_GOLDEN=1 pytest tests/golden` writes them anew; the diff then says what a change means for a cluster.
"""
