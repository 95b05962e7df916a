"""What a new bot costs the API server."""

from __future__ import annotations

from pathlib import Path

from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess

BOTS = 5
_REQUESTS = "gptbot_operator_api_requests_total"
_READS = rf'{_REQUESTS}\{{method="GET"\}}'


def test_a_new_bot_is_written_without_being_read_first(
    plane: Plane, absent: None, namespace: str, store_url: str, tmp_path: Path
) -> None:
    process = OperatorProcess(
        plane, tmp_path, GPTBOT_STORE_URL=store_url, GPTBOT_REFRESH_SECONDS="300", GPTBOT_NAMESPACES=namespace
    )
    try:
        process.start()
        wait_for(lambda: process.metric(_REQUESTS) and '"started"' in process.log.read_text(), "it works")
        requests, reads = process.metric(_REQUESTS), process.metric(_READS)
        bots = [Bot(plane.api, namespace, f"bot-{number}") for number in range(BOTS)]
        for bot in bots:
            bot.create()
        for bot in bots:
            bot.the("PodDisruptionBudget", "worker")
            bot.wait_settled()
        assert process.metric(_READS) - reads <= BOTS
        assert process.metric(_REQUESTS) - requests <= 18 * BOTS
    finally:
        process.stop()
