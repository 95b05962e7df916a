"""The CRD is deleted under a running operator: it says so in a line, waits, and works again once the CRD is back."""

from __future__ import annotations

import json
from pathlib import Path

from tests.controlplane.bot import Bot
from tests.controlplane.plane import CRD, Plane, wait_for
from tests.controlplane.running import OperatorProcess

NAME = "gptbots.gptbot.dev"


def test_the_operator_outlives_the_crd(
    plane: Plane, absent: None, namespace: str, store_url: str, tmp_path: Path
) -> None:
    plane.kubectl("-n", namespace, "create", "role", "lease", "--verb=create,get,update", "--resource=leases")
    plane.kubectl("-n", namespace, "create", "rolebinding", "lease", "--role=lease", "--user=operator")
    process = OperatorProcess(plane, tmp_path, GPTBOT_STORE_URL=store_url, GPTBOT_LEASE=f"{namespace}/operator")
    process.start()
    try:
        bot = Bot(plane.api, namespace, "bot")
        bot.create()
        bot.the("HorizontalPodAutoscaler", "worker")
        pid = process.pid
        plane.kubectl("delete", "crd", NAME, "--timeout=60s")
        wait_for(lambda: "is gone, and all GptBots with it" in process.log.read_text(), "it is said", 60)
        assert process.running
        plane.kubectl("apply", "--server-side", "-f", str(CRD))
        plane.kubectl("wait", "--for=condition=Established", f"crd/{NAME}", "--timeout=30s")
        again = Bot(plane.api, namespace, "again")
        served = ("-n", namespace, "get", NAME)
        wait_for(lambda: plane.kubectl(*served, check=False).returncode == 0, "the API server serves it")
        again.create()
        again.the("HorizontalPodAutoscaler", "worker")
        again.wait_condition("StoreReachable", "True")
        assert (process.running, process.pid) == (True, pid), "a container does not restart for that"
        process.stop()
    finally:
        plane.kubectl("apply", "--server-side", "-f", str(CRD))
    lines = process.log.read_text().splitlines()
    assert "Traceback" not in str(lines)
    [said] = [each for each in map(json.loads, lines) if "is gone" in each["event"]]
    assert "crds" in said["what_to_do"]


def test_it_stops_at_once_while_it_waits(plane: Plane, absent: None, store_url: str, tmp_path: Path) -> None:
    process = OperatorProcess(plane, tmp_path, GPTBOT_STORE_URL=store_url)
    process.start()
    try:
        wait_for(lambda: '"started"' in process.log.read_text(), "it works")
        plane.kubectl("delete", "crd", NAME, "--timeout=60s")
        wait_for(lambda: "is gone, and all GptBots with it" in process.log.read_text(), "it is said", 60)
        process.stop()
    finally:
        plane.kubectl("apply", "--server-side", "-f", str(CRD))
        plane.kubectl("wait", "--for=condition=Established", f"crd/{NAME}", "--timeout=30s")
