"""Where servers of bot and operator listen: on both families of addresses, as far as the machine has them."""

from __future__ import annotations

import socket

EVERYWHERE = "::"
"""Stands for all addresses of the machine, IPv4 and IPv6."""


def any_address() -> str:
    """The address that stands for all of this machine: `::`, or `0.0.0.0` where the kernel knows no IPv6."""
    if socket.has_dualstack_ipv6():
        try:
            with socket.create_server((EVERYWHERE, 0), family=socket.AF_INET6, dualstack_ipv6=True):
                return EVERYWHERE
        except OSError:  # switched off
            pass
    return "0.0.0.0"


def listen(host: str, port: int, backlog: int = 2048) -> socket.socket:
    """A socket that listens at an address; at EVERYWHERE, one for both families. Port 0 takes a free one.

    A peer that comes by IPv4 has an address such as `::ffff:192.0.2.1` there. Raises OSError.
    """
    address = any_address() if host == EVERYWHERE else host
    return socket.create_server(
        (address, port),
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        backlog=backlog,
        dualstack_ipv6=address == EVERYWHERE,
    )
