"""Bots with stores of their own, in a release without any that is shared: one in the clear, one over TLS both ways.

Its name has it come before the modules that share one release: only one operator may run.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.chart.rendering import CHART
from tests.e2e import bots as made
from tests.e2e import cluster, store
from tests.e2e.conftest import bot_image, installed, values
from tests.e2e.fakes import API_KEYS, Fakes, ScriptedModel
from tests.fakes.telegram.remote import RemoteTelegram
from tests.store.servers import certificate

pytestmark = pytest.mark.timeout(900)

ADA = 31


@pytest.fixture(scope="module")
def _storeless(run: str) -> Generator[None]:
    """The chart without the shared store."""
    given = values() | {"valkey": {"enabled": False}, "model": {"enabled": False}}
    with installed(CHART, f"gptbot-storeless-{run}", given):
        yield


def address(namespace: str, kind: str, directory: Path) -> str:
    """Run a store in a namespace; its URL."""
    host, login = f"{store.NAME}.{namespace}.svc", f":{store.PASSWORD}@"
    if kind == "plain":
        store.start(namespace, bot_image())
        return f"redis://{login}{host}:{store.PORT}/0"
    public, private = certificate(directory, host)
    store.start(namespace, bot_image(), tls=(public, private))
    pair = quote(public.read_text() + private.read_text(), safe="")
    authorities = quote(public.read_text(), safe="")
    return f"rediss://{login}{host}:{store.TLS_PORT}/0?ssl_ca_data={authorities}&ssl_cert_data={pair}"


@pytest.mark.usefixtures("_storeless")
@pytest.mark.parametrize("kind", ["plain", "tls"])
async def test_a_bot_answers_out_of_its_own_store(
    kind: str, bots: str, fakes_in_cluster: Fakes, tmp_path: Path
) -> None:
    name = f"own-{kind}"
    documents = made.on_telegram(name, fakes_in_cluster)
    made.change(documents, "Secret", url=address(bots, kind, tmp_path))
    made.change(documents, "GptBot", store={"urlSecretRef": {"name": name, "key": "url"}})
    cluster.apply(bots, documents)
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    await model.take_keys(API_KEYS[0])  # whatever other tests left
    made.wait_until_ready(bots, name)
    assert _conditions(bots, name)["StoreReachable"] == ("True", "Reachable")
    async with RemoteTelegram(fakes_in_cluster.here["telegram"]) as telegram:
        await telegram.add_user(ADA)
        await model.say(f"From {name}.", match=f"Who is {name}?")
        await telegram.say(ADA, ADA, f"Who is {name}?")
        await telegram.wait_for_messages(ADA, contains=f"From {name}.", timeout=120)
    cluster.kubectl("--namespace", bots, "delete", "gptbot", name, "--timeout=60s")
    cluster.wait_until("its pods are gone", lambda: not made.pods(bots, name), 120)
    cluster.kubectl("--namespace", bots, "delete", "pod", store.NAME, "--grace-period=0", "--force")


def _conditions(namespace: str, name: str) -> dict[str, tuple[str, str]]:
    status: Any = cluster.get("--namespace", namespace, "gptbot", name)["status"]
    return {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]}
