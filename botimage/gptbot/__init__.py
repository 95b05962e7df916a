"""The bot. Follow a message: platforms (gateway), safety, inbox, conversation, llm, delivery, platforms (sender).

`cli.py` is the program, `process.py` what a process has, `gateway.py` and `worker.py` its two roles.
"""
