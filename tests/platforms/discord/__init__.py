"""Discord over the wire: the real discord.py and the real sender against a server as strict as Discord.

The store is a real Valkey; the intake notes what it is given.
"""
