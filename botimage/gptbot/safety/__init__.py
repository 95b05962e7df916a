"""What keeps people and the bot safe: redaction, access lists, limits.

All of it runs in the gateway, before a message reaches the store, the model or a log.
"""
