"""The operator: level-based, one reconcile a bot.

Read `main.py` for what wakes it, `reconcile.py` for what it does then, `desired/` for what it wants.
"""
