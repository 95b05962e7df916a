"""What a bot's NetworkPolicy takes for the public internet, in both families of addresses."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from gptbot_operator.desired.context import Manifest
from gptbot_operator.desired.networkpolicy import ANYWHERE, PUBLIC

PRIVATE = ["10.1.2.3", "100.64.0.1", "169.254.169.254", "172.31.255.255", "192.168.0.1"]
PRIVATE_IPV6 = ["fd00:ec2::254", "fe80::1", "fec0::1", "64:ff9b:1::a9fe:a9fe"]
PUBLIC_ADDRESSES = ["149.154.167.220", "172.32.0.1", "2001:67c:4e8:f004::9"]


CREDENTIALS = ["169.254.169.254", "fe80::1", "fd00:ec2::254", "fd20:ce::254", "64:ff9b::a9fe:a9fe"]


def reached(address: str, peers: list[Manifest] = PUBLIC) -> bool:
    """Whether a peer of the policy holds the address."""

    def holds(block: Manifest) -> bool:
        wanted = ip_address(address)
        return wanted in ip_network(block["cidr"]) and not any(wanted in ip_network(each) for each in block["except"])

    return any(holds(peer["ipBlock"]) for peer in peers if "ipBlock" in peer)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES + [f"64:ff9b::{each}" for each in PUBLIC_ADDRESSES[:2]])
def test_public_addresses_are_reached(address: str) -> None:
    assert reached(address)


@pytest.mark.parametrize("address", PRIVATE + PRIVATE_IPV6 + [f"64:ff9b::{each}" for each in PRIVATE])
def test_private_ones_are_not_even_by_a_translator(address: str) -> None:
    assert not reached(address)


def test_a_host_may_be_anywhere_but_where_nodes_get_their_credentials() -> None:
    assert not [address for address in CREDENTIALS if reached(address, ANYWHERE)]
    assert all(reached(address, ANYWHERE) for address in [*PUBLIC_ADDRESSES, "10.1.2.3", "192.168.0.1", "fd12::1"])
