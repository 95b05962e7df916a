"""Who reaches whom, by connections that are tried: each that is refused gets through once its policy is taken away."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import pytest

from tests.e2e import bots as made
from tests.e2e import cluster, network
from tests.e2e.cluster import Object
from tests.e2e.conftest import Release, bot_image, namespace
from tests.e2e.fakes import API_KEYS, DISCORD_TOKEN, Fakes, ScriptedModel, on_both
from tests.e2e.fakes import PORT as FAKE_PORT
from tests.e2e.network import METADATA, SERVER_PORT, Address
from tests.platforms.web.conftest import after, make_browser
from tests.platforms.web.sse import events

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("release")]

BOT, OTHER = "guarded", "other"
VISITOR, NEIGHBOUR, PRETENDER = "visitor", "neighbour", "pretender"
WEB_PORT, METRICS_PORT, UNMEANT_PORT = 8080, 9090, 9999
STORE_PORT, MODEL_PORT = 6379, 8000
ADA = 51


@pytest.fixture(scope="module")
def strangers(run: str) -> Generator[str]:
    """A namespace that no bot knows, with a pod that no policy is about; and the node answers as a cloud's would."""
    with namespace(f"strangers-{run}") as name, namespace(f"cloud-{run}", security="privileged") as cloud:
        cluster.apply(name, [*network.server(VISITOR, bot_image())])
        cluster.apply(cloud, [network.metadata_server(bot_image())])
        network.wait_until_ready(name, VISITOR)
        network.wait_until_ready(cloud, "metadata")
        yield name


@pytest.fixture(scope="module")
def guarded(bots: str, strangers: str, fakes_in_cluster: Fakes) -> str:
    """A bot of all platforms with the policy that it gets without a word.

    It has a model beside it in its namespace, and one that may be anywhere at the port of the metadata.
    """
    pretended = {"app.kubernetes.io/part-of": "gptbot", "app.kubernetes.io/component": "worker"}
    servers = [*network.server(NEIGHBOUR, bot_image()), *network.server(PRETENDER, bot_image(), **pretended)]
    cluster.apply(bots, servers)
    documents = made.on_telegram(BOT, fakes_in_cluster)
    made.change(documents, "Secret", discord=DISCORD_TOKEN)
    [spec] = [each["spec"] for each in documents if each["kind"] == "GptBot"]
    address = f"{fakes_in_cluster.inside('discord')}/api/v10"
    discord = {"tokenSecretRef": {"name": BOT, "key": "discord"}, "apiBaseUrl": address}
    fallbacks = [
        {"baseUrl": f"http://{NEIGHBOUR}.{bots}.svc:{SERVER_PORT}/v1", "model": "beside"},
        {"baseUrl": "http://models.example.com/v1", "model": "anywhere"},
    ]
    made.change(
        documents,
        "GptBot",
        platforms=spec["platforms"] | {"discord": discord, "web": {}},
        llm=spec["llm"] | {"fallbacks": fallbacks},
        workers={"minReplicas": 1, "maxReplicas": 1},
    )
    other = _only_from(strangers)
    cluster.apply(bots, [*documents, other])
    for name in (BOT, OTHER):
        made.wait_until_ready(bots, name)
    network.wait_until_ready(bots, NEIGHBOUR, PRETENDER)
    return bots


def _only_from(friends: str) -> Object:
    """Another bot of the namespace, whose page is for one other namespace."""
    among = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": friends}}}
    spec = {
        "platforms": {"web": {}}, "llm": {"embedded": {}}, "workers": {"maxReplicas": 0},
        "networkPolicy": {"webFrom": [among]},
    }  # fmt: skip
    return {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": OTHER}, "spec": spec}


def _address(where: str, selector: str) -> str:
    """Of the one pod with these labels."""
    [pod] = [each for each in cluster.items("--namespace", where, "pods", "--selector", selector) if _runs(each)]
    return pod["status"]["podIP"]


def _runs(pod: Object) -> bool:
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def _pod(where: str, role: str, bot: str = BOT) -> str:
    selector = f"gptbot.dev/bot={bot},app.kubernetes.io/component={role}"
    [pod] = [each for each in cluster.items("--namespace", where, "pods", "--selector", selector) if _runs(each)]
    return pod["metadata"]["name"]


def _of_release(release: Release) -> dict[str, Address]:
    return {
        "the store": (f"{release.name}-gptbot-store.{release.namespace}.svc", STORE_PORT),
        "the embedded model": (f"{release.name}-gptbot-model.{release.namespace}.svc", MODEL_PORT),
    }


@contextmanager
def _paused(where: str, bot: str) -> Generator[None]:
    """The operator lets go of a bot."""

    def said() -> bool:
        status = cluster.get("--namespace", where, "gptbot", bot)["status"]
        return any(each["type"] == "Paused" and each["status"] == "True" for each in status["conditions"])

    cluster.kubectl("--namespace", where, "annotate", "gptbot", bot, "gptbot.dev/paused=true")
    try:
        cluster.wait_until(f"{bot} is paused", said, 30)
        yield
    finally:
        cluster.kubectl("--namespace", where, "annotate", "gptbot", bot, "gptbot.dev/paused-")


async def test_a_bot_answers_on_all_platforms(guarded: str, fakes_in_cluster: Fakes) -> None:
    model = ScriptedModel(fakes_in_cluster.here["openai"])
    await model.take_keys(API_KEYS[0])  # whatever other tests left
    await model.say("Behind a policy.", match="Where are you?")
    async with on_both(fakes_in_cluster, ADA) as both:
        telegram, discord, person, channel = both.telegram, both.discord, both.person, both.channel
        await telegram.say(ADA, ADA, "Where are you?")
        await discord.say(channel, person, "Where are you?", mention=True)
        await telegram.wait_for_messages(ADA, contains="Behind a policy.", timeout=120)
        [answer] = await discord.wait_for_answers(channel, 1, timeout=120)
        assert answer["content"] == "Behind a policy."
    with cluster.forwarded(guarded, f"service/{BOT}-web", 80) as url:
        async with make_browser() as browser:
            html = await browser.load(f"{url}/")
            async with events(browser.http, f"{url}/", after(html)) as stream:
                await browser.say(f"{url}/", "Where are you?")
                said = await stream.until(lambda each: each.name == "message" and "message bot" in each.data["html"])
        assert "Behind a policy." in said.data["html"]


def test_its_pods_reach_what_they_need_and_nothing_else(
    guarded: str, strangers: str, release: Release, fakes_in_cluster: Fakes
) -> None:
    """Names are what is connected to, so DNS is reached too."""
    other = _address(guarded, f"gptbot.dev/bot={OTHER}")
    operator = _address(release.namespace, "app.kubernetes.io/part-of=gptbot,app.kubernetes.io/component=operator")
    needed: dict[str, Address] = {
        **_of_release(release),
        **{name: (f"{name}.{fakes_in_cluster.namespace}.svc", FAKE_PORT) for name in ("telegram", "discord", "openai")},
        "a model of its namespace": (f"{NEIGHBOUR}.{guarded}.svc", SERVER_PORT),
    }
    others: dict[str, Address] = {
        "another bot's page": (f"{OTHER}-web.{guarded}.svc", 80),
        "another bot's pod": (other, WEB_PORT),
        "another bot's metrics": (other, METRICS_PORT),
        "the API server": ("kubernetes.default.svc", 443),
        "the node's metadata": METADATA,
        "a Service of another namespace": (f"{VISITOR}.{strangers}.svc", SERVER_PORT),
        "the operator's metrics": (operator, METRICS_PORT),
    }
    targets = needed | others
    pods = [_pod(guarded, role) for role in ("gateway", "worker")]
    wanted = dict.fromkeys(needed, True) | dict.fromkeys(others, False)
    for pod in pods:
        network.wait_until_reached(guarded, pod, targets, wanted)
    with _paused(guarded, BOT), _paused(guarded, OTHER):
        # What comes into the other bot's pods from a page is its own policy's to say.
        with network.without_policies(guarded, f"{BOT}-gptbot", f"{OTHER}-gptbot"):
            for pod in pods:
                network.wait_until_reached(guarded, pod, targets, dict.fromkeys(targets, True))
        for pod in pods:
            network.wait_until_reached(guarded, pod, targets, wanted)


def test_into_its_pods_comes_only_what_is_meant(guarded: str, strangers: str) -> None:
    bot = _address(guarded, f"gptbot.dev/bot={BOT},app.kubernetes.io/component=gateway")
    worker = _address(guarded, f"gptbot.dev/bot={BOT},app.kubernetes.io/component=worker")
    other = _address(guarded, f"gptbot.dev/bot={OTHER}")
    targets: dict[str, Address] = {
        "the page": (bot, WEB_PORT), "metrics and probes": (bot, METRICS_PORT), "a worker's": (worker, METRICS_PORT),
        "another page": (other, WEB_PORT), "its metrics": (other, METRICS_PORT),
        "a port of the gateway": (bot, UNMEANT_PORT), "a port of the worker": (worker, UNMEANT_PORT),
    }  # fmt: skip
    meant = {name: port in (WEB_PORT, METRICS_PORT) for name, (_, port) in targets.items()}
    with ExitStack() as stack:
        for role in ("gateway", "worker"):
            stack.enter_context(network.listening(guarded, _pod(guarded, role), UNMEANT_PORT))
        network.wait_until_reached(strangers, VISITOR, targets, meant)
        network.wait_until_reached(guarded, NEIGHBOUR, targets, meant | {"another page": False})
        stack.enter_context(_paused(guarded, BOT))
        stack.enter_context(_paused(guarded, OTHER))
        with network.without_policies(guarded, f"{BOT}-gptbot", f"{OTHER}-gptbot"):
            network.wait_until_reached(guarded, NEIGHBOUR, targets, dict.fromkeys(targets, True))


def test_store_and_model_are_for_bots_and_the_operator_for_probes(
    guarded: str, strangers: str, release: Release
) -> None:
    """One that calls itself a part of gptbot is no bot either."""
    selector = "app.kubernetes.io/part-of=gptbot,app.kubernetes.io/component=operator"
    [operator] = cluster.items("--namespace", release.namespace, "pods", "--selector", selector)
    address = operator["status"]["podIP"]
    targets: dict[str, Address] = {
        **_of_release(release),
        "the operator's probe": (address, WEB_PORT),
        "its metrics": (address, METRICS_PORT),
        "a port of the operator": (address, UNMEANT_PORT),
    }
    wanted = {name: name in ("the operator's probe", "its metrics") for name in targets}
    policies = [f"{release.name}-gptbot-{name}" for name in ("store", "model", "operator")]
    pods = ((strangers, VISITOR), (guarded, NEIGHBOUR), (guarded, PRETENDER))
    with network.listening(release.namespace, operator["metadata"]["name"], UNMEANT_PORT):
        for where, pod in pods:
            network.wait_until_reached(where, pod, targets, wanted)
        with network.without_policies(release.namespace, *policies):
            for where, pod in pods:
                network.wait_until_reached(where, pod, targets, dict.fromkeys(targets, True))
        for where, pod in pods:
            network.wait_until_reached(where, pod, targets, wanted)
    network.wait_until_reached(release.namespace, operator["metadata"]["name"], targets, {"the store": True})
