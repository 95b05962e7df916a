"""What the operator never uses is not imported, and what it uses of the same packages is."""

from __future__ import annotations

import subprocess
import sys

IMPORTED = """
import sys
from unittest.mock import Mock
sys.modules["gptbot_operator.main"] = Mock()  # what runs is not wanted here
from gptbot_operator import start
start.run()
sys.modules.pop("gptbot_operator.main").run.assert_called_once_with()
import gptbot_operator.main
from kubernetes.aio import client
assert client.ApiClient
for name in ("kubernetes.client", "kubernetes.watch", "rich"):
    assert name not in sys.modules, name
from kubernetes import client as synchronous  # it can be had still, as what installs the CRD does
assert synchronous.ApiClient
"""


def test_the_synchronous_client_is_not_imported() -> None:
    ended = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
