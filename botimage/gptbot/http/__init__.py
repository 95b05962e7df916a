"""The HTTP server that a gateway runs: one port for all bots of a process.
What it serves comes from the platforms' routes; `headers.py` makes every answer a safe one, `hosts.py` says by which
names it is asked, `clients.py` by whom.
"""
