#!/usr/bin/env python3
"""`valkey-cli` of Valkey's own image, as far as the chart's probe uses it; the image of the tests has none.

Like that one it ends with 0 after an error reply and prints it like any other, and with 1 when it cannot connect.
"""

import os
import socket
import sys


def main() -> None:
    """Send one command, with the password in the environment."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--no-auth-warning"]:
        del arguments[0]
    place = dict(zip(arguments[:4:2], arguments[1:4:2], strict=True))
    host, port, words = place["-h"], int(place["-p"]), arguments[4:]
    password = os.environ.get("VALKEYCLI_AUTH") or os.environ.get("REDISCLI_AUTH")
    try:
        connection = socket.create_connection((host, port))
    except OSError as error:
        sys.exit(f"Could not connect to Valkey at {host}:{port}: {error.strerror}")
    replies = connection.makefile("rb")
    if password is not None:
        connection.sendall(_packed("AUTH", password))
        if (reply := replies.readline()).startswith(b"-"):
            sys.stderr.write(f"AUTH failed: {reply[1:].decode()}")
    connection.sendall(_packed(*words))
    sys.stdout.write(replies.readline()[1:].decode().replace("\r\n", "\n"))


def _packed(*words: str) -> bytes:
    parts = [b"$%d\r\n%b\r\n" % (len(word.encode()), word.encode()) for word in words]
    return b"*%d\r\n%b" % (len(parts), b"".join(parts))


main()
