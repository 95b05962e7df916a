"""Strategic merge of pod templates."""

from __future__ import annotations

import copy
from typing import Any

from gptbot_operator.desired.merge import merge


def test_named_things_are_merged_by_name_and_new_ones_come_last() -> None:
    base = {"containers": [{"name": "a", "image": "x", "env": [{"name": "A", "value": "1"}]}]}
    patch = {"containers": [{"name": "b"}, {"name": "a", "env": [{"name": "A", "value": "2"}, {"name": "B"}]}]}
    assert merge(base, patch) == {
        "containers": [
            {"name": "a", "image": "x", "env": [{"name": "A", "value": "2"}, {"name": "B"}]},
            {"name": "b"},
        ]
    }


def test_a_port_is_named_by_number_and_protocol() -> None:
    base = {"ports": [{"containerPort": 53, "protocol": "TCP"}]}
    patch = {"ports": [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "name": "dns"}]}
    assert merge(base, patch)["ports"] == [
        {"containerPort": 53, "protocol": "TCP", "name": "dns"},
        {"containerPort": 53, "protocol": "UDP"},
    ]


def test_other_lists_are_replaced_and_nulls_take_away() -> None:
    base: dict[str, Any] = {"args": ["a", "b"], "hostNetwork": True}
    patch: dict[str, Any] = {"args": ["c"], "hostNetwork": None, "dnsPolicy": None}
    assert merge(base, patch) == {"args": ["c"]}


def test_tolerations_are_added_once() -> None:
    base = {"tolerations": [{"key": "x"}, {"key": "z"}]}
    assert merge(base, {"tolerations": [{"key": "y"}, {"key": "x"}]}) == {
        "tolerations": [{"key": "x"}, {"key": "z"}, {"key": "y"}]
    }


def test_what_is_no_object_is_left_for_the_api_server_to_refuse() -> None:
    assert merge({"containers": [{"name": "a"}]}, {"containers": ["b"]}) == {"containers": [{"name": "a"}, "b"]}


def test_nothing_is_changed_in_place() -> None:
    base = {"containers": [{"name": "a", "env": [{"name": "A"}]}]}
    patch = {"containers": [{"name": "a", "env": [{"name": "A", "value": "1"}]}]}
    kept = copy.deepcopy((base, patch))
    merge(base, patch)
    assert (base, patch) == kept
