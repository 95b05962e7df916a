"""Progressing, and why pods do not start."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot_operator.pods import PodLook, PodTrouble, trouble_of
from gptbot_operator.refusals import Fault
from tests.unit.test_status import conditions, deployment

UNDER_WAY: dict[str, Any] = {
    "Progressing": {"status": "True", "reason": "ReplicaSetUpdated", "message": "is progressing"}
}
LATE: dict[str, Any] = {
    "Progressing": {"status": "False", "reason": "ProgressDeadlineExceeded", "message": "has timed out progressing."}
}


def container(**state: Any) -> dict[str, Any]:
    return {"name": "gptbot", "image": "gptbot:no", **state}


def pod(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"metadata": {}, "status": {"containerStatuses": list(containers), **more}}


@pytest.mark.parametrize(
    ("of", "status", "reason", "part"),
    [
        ({"gateway": None}, "True", "RollingOut", "gateway: it has not been made yet"),
        ({"gateway": deployment(0, **UNDER_WAY)}, "True", "RollingOut", "gateway: a new version"),
        ({"worker": deployment(2, 3, 1, **UNDER_WAY)}, "True", "RollingOut", "worker: a new version"),
        ({"worker": deployment(2, 3)}, "False", "Complete", ""),
        ({"gateway": deployment(1, **LATE)}, "False", "Complete", ""),
        ({"gateway": deployment(1, pods=2, **LATE)}, "False", "ProgressDeadlineExceeded", "gateway: has timed out"),
        ({"gateway": deployment(0, **LATE)}, "False", "ProgressDeadlineExceeded", "gateway: has timed out"),
        ({"worker": deployment(2, 3, 1, **LATE)}, "False", "ProgressDeadlineExceeded", "worker: has timed out"),
        (
            {"worker": deployment(2, 3, 1, **LATE), "worker_pods": PodTrouble("ImagePullBackOff", "no such image")},
            "False",
            "ImagePullBackOff",
            "worker: no such image",
        ),
    ],
)
def test_progressing(of: dict[str, Any], status: str, reason: str, part: str) -> None:
    progressing = conditions("cpu-autoscaling", **of)["Progressing"]
    assert progressing[:2] == (status, reason)
    assert part in progressing[2]


@pytest.mark.parametrize(
    ("name", "of", "reason", "message"),
    [
        (
            "cpu-autoscaling",
            {"worker_held_up": Fault("Deployment b-worker: exceeded quota")},
            "ApplyFailed",
            "worker: Deployment b-worker: exceeded quota",
        ),
        (
            "cpu-autoscaling",
            {"gateway": None, "gateway_held_up": Fault("b-gateway exists", True), "worker_held_up": Fault("no")},
            "NameConflict",
            "gateway: b-gateway exists; worker: no",
        ),
        ("suspend", {"gateway_held_up": Fault("it cannot be suspended")}, "ApplyFailed", "gateway: it cannot be"),
    ],
)
def test_a_deployment_that_cannot_be_had_does_not_progress(
    name: str, of: dict[str, Any], reason: str, message: str
) -> None:
    progressing = conditions(name, **of)["Progressing"]
    assert progressing[:2] == ("False", reason)
    assert message in progressing[2]


def test_what_keeps_pods_from_starting_is_why_a_bot_is_not_ready() -> None:
    pods = PodTrouble("CrashLoopBackOff", "container gptbot ends with exit code 1, again and again")
    ready = conditions("external-store", gateway=deployment(0, **UNDER_WAY), gateway_pods=pods)["Ready"]
    assert ready == ("False", "GatewayUnavailable", pods.message)


@pytest.mark.parametrize(
    ("seen", "reason", "part"),
    [
        (pod(container(state={"waiting": {"reason": "ImagePullBackOff"}})), "ImagePullBackOff", "(image gptbot:no)"),
        (pod(container(state={"waiting": {"reason": "CreateContainerConfigError"}})), "CreateContainerConfigError", ""),
        (
            pod(
                container(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"exitCode": 3}})
            ),
            "CrashLoopBackOff",
            "exit code 3",
        ),
        (
            pod(
                container(
                    state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"reason": "OOMKilled"}}
                )
            ),
            "OOMKilled",
            "memory limit",
        ),
        (
            pod(conditions=[{"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes are available"}]),
            "Unschedulable",
            "0/1 nodes",
        ),
        (
            {"status": {"initContainerStatuses": [container(state={"waiting": {"reason": "ErrImagePull"}})]}},
            "ErrImagePull",
            "pull secrets",
        ),
    ],
)
def test_why_pods_do_not_start(seen: dict[str, Any], reason: str, part: str) -> None:
    found = trouble_of([pod(container(state={"running": {}})), seen, seen])
    assert found is not None
    assert found.reason == reason
    assert part in found.message


def test_pods_that_are_starting_or_going_are_no_trouble() -> None:
    starting = pod(container(state={"waiting": {"reason": "ContainerCreating"}}))
    going = pod(container(state={"waiting": {"reason": "CrashLoopBackOff"}}))
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert trouble_of([starting, going, {}]) is None


def test_pods_are_looked_at_less_and_less_often() -> None:
    look = PodLook(b"f", next_at=15, pause=15)
    times = [now for now in range(400) if look.due(now, 100)]
    assert times == [15, 45, 105, 205, 305]
