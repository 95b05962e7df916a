"""The web page over real HTTP, with a real Valkey between its two halves.
`scene.py` puts gateways and a worker's sender together; `sse.py` reads events as a browser does.
"""
