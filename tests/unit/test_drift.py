"""When a child counts as it was applied, and when it has to be applied again."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gptbot_operator.drift import APPLIED, as_applied, digest

WANTED: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "a", "labels": {"a": "b"}},
    "spec": {
        "replicas": 2,
        "paused": False,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "gptbot",
                        "args": ["a", "b"],
                        "resources": {"requests": {"cpu": 1, "memory": "1024Mi"}, "limits": {"cpu": "0.5"}},
                    }
                ],
                "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1024Mi"}}],
                "tolerations": [{"key": "a", "operator": "Exists"}],
            }
        },
    },
}


def live(**changes: Any) -> dict[str, Any]:
    """What an API server makes of it: defaults filled in, quantities in its own words, what is empty left out."""
    made = copy.deepcopy(WANTED)
    made["metadata"]["annotations"] = {APPLIED: digest(WANTED), "deployment.kubernetes.io/revision": "1"}
    del made["spec"]["paused"]
    made["spec"]["progressDeadlineSeconds"] = 600
    pod = made["spec"]["template"]["spec"]
    pod["containers"][0] |= {"imagePullPolicy": "Always"}
    pod["containers"][0]["resources"] = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "500m"}}
    pod["volumes"][0]["emptyDir"] = {"sizeLimit": "1Gi"}
    pod["containers"].append({"name": "injected"})
    pod |= changes
    return made


def test_what_the_api_server_adds_is_no_difference() -> None:
    assert as_applied(live(), WANTED, digest(WANTED))


@pytest.mark.parametrize(
    "changes",
    [
        {"tolerations": []},
        {"tolerations": [{"key": "a", "operator": "Exists"}, {"key": "b"}]},
        {"volumes": []},
        {"volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}}]},
        {"containers": [{"name": "injected"}]},
    ],
    ids=str,
)
def test_what_others_changed_is_one(changes: dict[str, Any]) -> None:
    assert not as_applied(live(**changes), WANTED, digest(WANTED))


def test_arguments_are_compared_in_order() -> None:
    changed = live()
    changed["spec"]["template"]["spec"]["containers"][0]["args"].reverse()
    assert not as_applied(changed, WANTED, digest(WANTED))


def test_a_field_that_is_no_longer_wanted_is_one_though_all_others_are_there() -> None:
    fewer = copy.deepcopy(WANTED)
    del fewer["spec"]["replicas"]
    assert not as_applied(live(), fewer, digest(fewer))


def test_a_rule_that_somebody_added_to_a_network_policy_is_one() -> None:
    wanted: dict[str, Any] = {"kind": "NetworkPolicy", "metadata": {"name": "a"}, "spec": {"egress": [{"ports": [1]}]}}
    there = copy.deepcopy(wanted)
    there["metadata"]["annotations"] = {APPLIED: digest(wanted)}
    assert as_applied(there, wanted, digest(wanted))
    there["spec"]["egress"][0]["ports"].append(2)
    assert not as_applied(there, wanted, digest(wanted))
