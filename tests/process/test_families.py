"""Everything that listens does so on both families of addresses: real network namespaces with IPv6 alone and both."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gptbot_api import listening
from tests.chart.rendering import ROOT, find, render
from tests.process.families import ADDRESSES


@pytest.mark.parametrize("family", ["ipv6", "both"])
def test_all_servers_answer(family: str, tmp_path: Path) -> None:
    objects = render({"model": {"enabled": True}})
    configuration = find(objects, "ConfigMap", "-store")["data"]["valkey.conf"].replace("/data", str(tmp_path))
    (tmp_path / "valkey.conf").write_text(configuration)
    (tmp_path / "users.acl").write_text("user default on nopass ~* &* +@all\n")
    model = find(objects, "Deployment", "-model")["spec"]["template"]["spec"]["containers"][0]["args"]
    (tmp_path / "model.json").write_text(json.dumps(model))
    ended = subprocess.run(
        ["unshare", "--map-root-user", "--net", sys.executable, "-m", "tests.process.families", family, tmp_path],
        cwd=ROOT, env={name: value for name, value in os.environ.items() if not name.startswith("GPTBOT_")},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    logs = "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in tmp_path.glob("*.log"))
    assert ended.returncode == 0, ended.stderr + logs
    found: dict[str, bool] = json.loads(ended.stdout)
    assert len(found) == 7 * len(ADDRESSES[family])
    assert all(found.values()), f"{found}\n{ended.stderr}{logs}"


def test_a_kernel_without_ipv6_is_listened_at_by_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with listening.listen(listening.EVERYWHERE, 0) as listener:
        assert listener.family == socket.AF_INET
        assert listener.getsockname()[0] == "0.0.0.0"


def test_an_address_of_ones_own_is_kept() -> None:
    with listening.listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
