"""Trouble between operator and API server: cut connections, history that is gone, a restart, others who write."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.proxy import Proxy
from tests.controlplane.running import OperatorProcess

MakeBot = Callable[..., Bot]


@pytest.fixture
def proxied(plane: Plane, absent: None, store_url: str, tmp_path: Path) -> Iterator[tuple[Proxy, OperatorProcess]]:
    """An operator in the place of the usual one, whose way to the API server can be cut."""
    proxy = Proxy(int(plane.url.rpartition(":")[2]))
    document = yaml.safe_load(plane.kubeconfig("operator").read_text())
    document["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
    kubeconfig = tmp_path / "proxied.conf"
    kubeconfig.write_text(yaml.safe_dump(document))
    # No resync comes to the rescue: it is left at its ten minutes.
    process = OperatorProcess(plane, tmp_path, GPTBOT_STORE_URL=store_url, KUBECONFIG=str(kubeconfig))
    process.start()
    try:
        yield proxy, process
    finally:
        proxy.mend()
        process.stop()
        proxy.close()
    assert "Traceback" not in process.log.read_text()


def _disturb(bot: Bot) -> None:
    """An edit, a lost child, a changed child and a changed Secret."""
    bot.edit(workers={"minReplicas": 4, "maxReplicas": 4})
    bot.api.delete("Service", bot.namespace, "bot-web")
    bot.api.patch("ConfigMap", bot.namespace, "bot-gptbot", {"data": {"bot.yaml": "gone"}})
    bot.secret("tokens", telegram="hunter2-new")


def _put_right(bot: Bot, before: tuple[str, str]) -> None:
    wait_for(lambda: bot.replicas() == 4, "the edit", 60)
    wait_for(lambda: bot.child("Service", "web"), "the lost child", 60)
    wait_for(lambda: bot.the("ConfigMap", "gptbot")["data"]["bot.yaml"] != "gone", "the changed child", 60)
    wait_for(lambda: all(a != b for a, b in zip(before, bot.hashes(), strict=True)), "pods of the new Secret", 60)
    bot.wait_settled()


def _made(make_bot: MakeBot) -> Bot:
    bot = make_bot(
        workers={"minReplicas": 2, "maxReplicas": 2},
        platforms={"web": {}, "telegram": {"tokenSecretRef": {"name": "tokens", "key": "telegram"}}},
    )
    bot.secret("tokens", telegram="hunter2")
    bot.wait_condition("SecretsResolved", "True")
    bot.the("Service", "web")
    bot.wait_settled()
    return bot


def test_what_happened_while_the_watches_were_cut_is_caught_up_with(
    make_bot: MakeBot, proxied: tuple[Proxy, OperatorProcess]
) -> None:
    proxy, _ = proxied
    bot = _made(make_bot)
    before = bot.hashes()
    proxy.cut()
    assert proxy.dropped >= 5, "a watch for each kind, at least"
    _disturb(bot)
    proxy.mend()
    _put_right(bot, before)


def test_an_api_server_that_restarts_and_has_forgotten_what_happened(
    make_bot: MakeBot, plane: Plane, proxied: tuple[Proxy, OperatorProcess]
) -> None:
    proxy, process = proxied
    bot = _made(make_bot)
    before = bot.hashes()
    old = bot.document["metadata"]["resourceVersion"]
    proxy.cut()
    _disturb(bot)
    plane.compact()
    plane.restart_api_server()
    proxy.mend()
    answer = plane.kubectl(
        "get", "--raw",
        f"/apis/gptbot.dev/v1alpha1/gptbots?watch=1&resourceVersion={int(old) - 1}&timeoutSeconds=2", check=False,
    )  # fmt: skip
    assert '"code":410' in answer.stdout + answer.stderr or "too old resource version" in answer.stderr, answer
    _put_right(bot, before)
    assert process.metric("gptbot_operator_reconciles_total") > 0, "it is the same process"


def test_others_who_write_all_the_time_neither_stop_nor_starve_anybody(
    make_bot: MakeBot, operator: OperatorProcess
) -> None:
    bot = _made(make_bot)
    failed: list[BaseException] = []
    stop = threading.Event()
    written = [0, 0, 0]

    def write(which: int, kind: str, name: str, change: Callable[[int], dict[str, Any]]) -> None:
        try:
            while not stop.is_set():
                bot.api.patch(kind, bot.namespace, name, change(written[which]))
                written[which] += 1
        except BaseException as error:
            failed.append(error)

    storms = [
        ("GptBot", "bot", lambda n: {"metadata": {"annotations": {"storm": str(n)}}}),
        ("Deployment", "bot-worker", lambda n: {"spec": {"replicas": n % 7}}),
        ("ConfigMap", "bot-gptbot", lambda n: {"data": {"bot.yaml": f"storm {n}"}}),
    ]
    threads = [threading.Thread(target=write, args=(which, *storm)) for which, storm in enumerate(storms)]
    for each in threads:
        each.start()
    try:
        wait_for(lambda: min(written) > 30, "a storm", 60)
        other = make_bot("other")
        other.the("HorizontalPodAutoscaler", "worker")
        other.wait_condition("StoreReachable", "True")
        bot.edit(workers={"minReplicas": 3, "maxReplicas": 3, "concurrency": 7})
        wait_for(
            lambda: bot.document["status"]["observedGeneration"] == bot.document["metadata"]["generation"], "a look"
        )
    finally:
        stop.set()
        for each in threads:
            each.join()
    assert not failed
    wait_for(lambda: bot.replicas() == 3, "the number of workers that the spec says")
    wait_for(lambda: "storm" not in bot.the("ConfigMap", "gptbot")["data"]["bot.yaml"], "its configuration")
    bot.wait_settled()


@pytest.mark.parametrize("away", [False, True], ids=["operator-runs", "operator-is-away"])
def test_a_namespace_with_bots_goes(plane: Plane, operator: OperatorProcess, away: bool) -> None:
    name = f"going-{uuid.uuid4().hex[:8]}"
    plane.api.create_namespace(name)
    bots = [Bot(plane.api, name, each) for each in ("one", "two")]
    for bot in bots:
        bot.create()
        bot.the("HorizontalPodAutoscaler", "worker")
    if away:
        operator.stop()
    try:
        plane.api.delete_namespace(name)
        wait_for(lambda: plane.get("namespace", name) is None, "the namespace is gone", 90)
    finally:
        operator.start_when_needed()
