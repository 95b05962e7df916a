"""Asks the store of this pod with PING. Alive is what answers, but for BUSY; ready is what answers PONG."""

import os
import socket
import sys

PORT = 6379
TIMEOUT = 3
"""Seconds for each step: nobody waits for a store that a script or function keeps from answering."""

password = os.environb[b"STORE_PASSWORD"]
try:
    with socket.create_connection(("localhost", PORT), TIMEOUT) as connection:
        connection.sendall(b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%b\r\n*1\r\n$4\r\nPING\r\n" % (len(password), password))
        replies = connection.makefile("rb")
        replies.readline(4096)
        answer = replies.readline(4096).decode(errors="replace").strip()
except OSError as error:
    sys.exit(f"the store does not answer: {error}")
if answer != "+PONG" and (sys.argv[1] == "ready" or not answer or answer.startswith("-BUSY")):
    sys.exit(answer or "the store does not answer")
