"""A restricted installation on a real API server: what its admission policy says at once, and the operator anyway."""

from __future__ import annotations

import base64
import copy
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import VALUES, render
from tests.controlplane.bot import Bot
from tests.controlplane.plane import Plane, wait_for
from tests.controlplane.running import OperatorProcess
from tests.hostile import tenancy
from tests.hostile.tenancy import ALLOWED, NAMESPACE, REFUSED, Case

MakeBot = Callable[..., Bot]
OURS = "bots/demo-gptbot-operator"
"""The installation's name, for `spec.operator`."""
BAD = {"spec": {"hostPID": True, "containers": [{"name": "gptbot", "securityContext": {"runAsUser": 0}}]}}


@pytest.fixture(scope="module")
def policed(plane: Plane) -> Iterator[Plane]:
    """The chart's admission policy, for the namespace that the cases are about alone."""
    values = copy.deepcopy(VALUES[tenancy.VALUES])
    values["operator"]["namespaces"] = [NAMESPACE]
    policies = [each for each in render(values) if each["kind"].startswith("ValidatingAdmissionPolicy")]
    assert len(policies) == 2
    plane.api.create_namespace(NAMESPACE)
    plane.kubectl("apply", "-f", "-", document={"apiVersion": "v1", "kind": "List", "items": policies})
    bad = _document(Case("podTemplate", BAD).spec())
    wait_for(lambda: plane.api.refusal(bad), "the policy is enforced")
    yield plane
    for each in policies:
        plane.kubectl("delete", each["kind"], each["metadata"]["name"])
    plane.api.delete_namespace(NAMESPACE)


def _document(spec: dict[str, Any], namespace: str = NAMESPACE, name: str = "case") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_the_api_server_refuses_at_once_what_the_operator_would(case: Case, policed: Plane) -> None:
    said = policed.api.refusal(_document(case.spec()))
    if case.at_once:
        assert "ValidatingAdmissionPolicy 'bots-demo-gptbot-gptbots'" in said
        assert "denied request: " in said
        assert "expression '" not in said, "no rule failed to be evaluated"
    else:
        assert said == "", "the operator alone says it"


@pytest.mark.parametrize("case", ALLOWED, ids=str)
def test_the_api_server_takes_what_the_operator_takes(case: Case, policed: Plane) -> None:
    assert policed.api.refusal(_document(case.spec())) == ""


def test_the_policy_says_which_host_and_leaves_other_namespaces_and_old_bots_alone(
    policed: Plane, namespace: str
) -> None:
    far = _document(Case("llm", {"baseUrl": "http://evil.example/v1", "model": "m"}).spec())
    said = policed.api.refusal(far)
    assert "a Service of the bot's namespace (NAME.shop.svc): http://evil.example/v1" in said
    assert policed.api.refusal(_document(far["spec"], namespace)) == "", "another installation's, perhaps"

    bot = Bot(policed.api, NAMESPACE, "old")
    bot.create(**tenancy.GOOD)
    with pytest.raises(AssertionError, match="podTemplate"):
        bot.edit(podTemplate=BAD)
    with _watching_only(policed):
        bot.edit(podTemplate=BAD)
    policed.api.patch("GptBot", NAMESPACE, "old", {"metadata": {"labels": {"a": "b"}, "finalizers": ["example.com/x"]}})
    policed.api.delete("GptBot", NAMESPACE, "old")
    policed.api.patch("GptBot", NAMESPACE, "old", {"metadata": {"finalizers": None}})
    wait_for(lambda: policed.api.get("GptBot", NAMESPACE, "old") is None, "an old bot can be deleted")


def test_what_was_let_in_before_can_be_suspended_and_changed_elsewhere(policed: Plane) -> None:
    """Whatever a stricter rule forbids of it: what stays as it is, is not judged again."""
    cases = [case for case in REFUSED if case.at_once]
    bots = [Bot(policed.api, NAMESPACE, f"old-{number}") for number in range(len(cases))]
    with _watching_only(policed):
        for case, bot in zip(cases, bots, strict=True):
            bot.create(**case.spec(), operator=OURS)
    for bot in bots:
        for change in ({"suspend": True}, {"suspend": False, "answerIn": {"groups": "commands"}}):
            bot.edit(**change)
        with pytest.raises(AssertionError, match=r"ValidatingAdmissionPolicy.*denied request: podTemplate"):
            bot.edit(gateway={"podTemplate": {"spec": {"hostUsers": False}}})
        policed.api.delete("GptBot", NAMESPACE, bot.name)


def test_what_was_let_in_before_is_mended_bit_by_bit(policed: Plane) -> None:
    bot = Bot(policed.api, NAMESPACE, "piece")
    container = {"name": "gptbot", "image": "a", "securityContext": {"privileged": True, "runAsUser": 0}}
    template = {
        "metadata": {"labels": {"one": "1", "two": "2"}, "annotations": {"one": "1", "two": "2"}},
        "spec": {"hostPID": True, "hostIPC": True, "containers": [container, {"name": "side", "image": "b"}]},
    }
    annotations = {"one": "1", "two": "2"}
    llm = {"baseUrl": "http://a.evil.example", "model": "m"}
    fallback = {"baseUrl": "http://b.evil.example", "model": "m"}
    to = [{"namespaceSelector": {}}, {"namespaceSelector": {"matchLabels": {"a": "b"}}}]
    expose = {"host": "bank.example", "ingress": {"className": "private", "annotations": annotations}}
    with _watching_only(policed):
        bot.create(
            platforms={"web": {}, "extra": {"irc": {"a": 1}, "icq": {}}}, podTemplate=template, expose=expose,
            llm=llm | {"fallbacks": [fallback]}, networkPolicy={"enabled": False, "egress": [{"to": to}]},
            operator=OURS,
        )  # fmt: skip

    def pods(**fields: Any) -> dict[str, Any]:
        return {"podTemplate": {"spec": fields}}

    def inner(**fields: Any) -> dict[str, Any]:
        return pods(containers=[container | {"securityContext": fields}])

    for worse in (
        pods(hostPID=False), pods(hostNetwork=True), pods(containers=[container | {"image": "c"}]),
        pods(containers=[container, {"name": "side", "image": "c"}]), pods(securityContext={"runAsUser": 0}),
        pods(priorityClassName="system-node-critical"), inner(privileged=True, runAsUser=0, procMount="Unmasked"),
        inner(privileged="yes"), {"podTemplate": {"metadata": {"labels": {"one": "2"}}}},
        {"podTemplate": {"metadata": {"annotations": {"three": "3"}}}}, {"platforms": {"extra": {"irc": {"a": 2}}}},
        {"llm": {"baseUrl": "http://c.evil.example"}}, {"expose": {"host": "bench.example"}},
        {"expose": {"ingress": {"className": "secret"}}}, {"expose": {"ingress": {"annotations": {"two": "3"}}}},
        {"networkPolicy": {"egress": [{"to": [{"namespaceSelector": {"matchLabels": {"a": "c"}}}]}]}},
    ):  # fmt: skip
        with pytest.raises(AssertionError, match=r"ValidatingAdmissionPolicy.*denied request: "):
            bot.edit(**worse)
    for better in (
        {"podTemplate": {"metadata": {"labels": {"one": None}, "annotations": {"two": None}}}},
        pods(hostPID=None), pods(containers=[container]), inner(privileged=True),
        inner(privileged=True, procMount="Default"),
        {"platforms": {"extra": {"icq": None}}}, {"llm": {"baseUrl": "http://b.evil.example"}},
        {"expose": {"ingress": {"className": None}}}, {"expose": {"ingress": {"annotations": {"two": None}}}},
        {"networkPolicy": {"egress": [{"to": to[1:]}]}}, {"suspend": True},
    ):  # fmt: skip
        bot.edit(**better)
    bot.edit(networkPolicy={"enabled": True})
    with pytest.raises(AssertionError, match=r"networkPolicy.enabled must be true"):
        bot.edit(networkPolicy={"enabled": False})
    policed.api.delete("GptBot", NAMESPACE, "piece")


def test_a_bot_of_another_installation_is_not_judged_here(policed: Plane) -> None:
    spec = Case("podTemplate", BAD).spec()
    assert "podTemplate" in policed.api.refusal(_document(spec | {"operator": OURS}))
    assert "podTemplate" in policed.api.refusal(_document(spec) | {"status": {"servedBy": "other/gptbot-operator"}})
    assert policed.api.refusal(_document(spec | {"operator": "other/gptbot-operator"})) == ""

    bot = Bot(policed.api, NAMESPACE, "elsewhere")
    bot.create(**spec, operator="other/gptbot-operator")
    bot.edit(podTemplate={"spec": {"hostIPC": True}})
    with pytest.raises(AssertionError, match="podTemplate"):
        bot.edit(operator=None)
    with pytest.raises(AssertionError, match="podTemplate"):
        bot.edit(operator=OURS)
    policed.api.delete("GptBot", NAMESPACE, "elsewhere")

    bot = Bot(policed.api, NAMESPACE, "claimed")
    bot.create(**tenancy.GOOD)
    claimed = {"status": {"servedBy": "other/gptbot-operator", "conditions": []}}
    policed.api.patch("GptBot", NAMESPACE, "claimed", claimed, subresource="status")
    bot.edit(podTemplate=BAD)
    policed.api.delete("GptBot", NAMESPACE, "claimed")


@contextmanager
def _watching_only(policed: Plane) -> Generator[None]:
    """As before there was a policy."""
    far = _document(Case("llm", {"baseUrl": "http://evil.example/v1", "model": "m"}).spec())
    binding = "validatingadmissionpolicybinding/bots-demo-gptbot-gptbots"
    policed.kubectl("patch", binding, "--type=merge", "-p", '{"spec": {"validationActions": ["Audit"]}}')
    wait_for(lambda: policed.api.refusal(far) == "", "the policy only watches")
    yield
    policed.kubectl("patch", binding, "--type=merge", "-p", '{"spec": {"validationActions": ["Deny"]}}')
    wait_for(lambda: policed.api.refusal(far), "the policy is enforced again")


class Installation:
    """An operator in place of the one that all tests share, serving one namespace."""

    def __init__(self, plane: Plane, directory: Path, namespace: str, store_url: str) -> None:
        self._plane, self._directory, self._namespace, self._store_url = plane, directory, namespace, store_url
        self.operator: OperatorProcess | None = None

    def start(self, **environment: str) -> None:
        """Start it."""
        self.operator = OperatorProcess(
            self._plane,
            self._directory,
            GPTBOT_NAMESPACES=self._namespace,
            GPTBOT_STORE_URL=self._store_url,
            **{"GPTBOT_TENANCY": "restricted"} | environment,
        )
        self.operator.start()

    def stop(self) -> None:
        """Stop it."""
        if self.operator is not None:
            self.operator.stop()
            self.operator = None


@pytest.fixture
def installation(plane: Plane, namespace: str, absent: None, store_url: str, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(plane, tmp_path, namespace, store_url)
    yield made
    made.stop()
    log = (tmp_path / "operator.log").read_text()
    assert "Traceback" not in log
    assert "hunter2" not in log


def test_a_bot_that_asks_for_too_much_is_refused_as_a_whole(make_bot: MakeBot, installation: Installation) -> None:
    installation.start(GPTBOT_ALLOWED_HOSTS="model")
    bot = make_bot(podTemplate=BAD)
    message = bot.wait_condition("Ready", "False", "NotAllowed")
    for path in ("spec.podTemplate.spec.hostPID: ", "spec.podTemplate.spec.containers[0].securityContext.runAsUser: "):
        assert path in message
    assert {condition[:2] for name, condition in bot.conditions().items() if name != "Ready"} == {
        ("Unknown", "NotAllowed")
    }
    assert bot.children() == {}

    bot.edit(podTemplate={"spec": {"priorityClassName": "low", "hostPID": None, "containers": None}})
    before = bot.the("Deployment", "gateway")
    assert before["spec"]["template"]["spec"]["priorityClassName"] == "low"
    bot.wait_settled()
    children = {name: each["metadata"]["uid"] for name, each in bot.children().items()}

    bot.edit(podTemplate={"spec": {"hostPID": True, "priorityClassName": "high"}}, gateway={"replicas": 2})
    bot.wait_condition("Ready", "False", "NotAllowed")
    bot.wait_settled()
    after = bot.the("Deployment", "gateway")
    assert after["spec"] == before["spec"], "what runs goes on"
    assert {name: each["metadata"]["uid"] for name, each in bot.children().items()} == children

    installation.stop()
    installation.start(GPTBOT_TENANCY="trusted")
    wait_for(
        lambda: bot.the("Deployment", "gateway")["spec"]["template"]["spec"].get("hostPID"), "a trusted tenant may"
    )


def test_a_refused_bot_can_be_suspended_and_comes_back(make_bot: MakeBot, installation: Installation) -> None:
    installation.start(GPTBOT_ALLOWED_HOSTS="model")
    operator = installation.operator
    assert operator is not None
    bot = make_bot(workers={"minReplicas": 2, "maxReplicas": 4})
    bot.wait_settled()
    wait_for(lambda: bot.replicas() == 2, "the autoscaler's least")
    templates = {part: bot.the("Deployment", part)["spec"]["template"] for part in ("gateway", "worker")}
    bot.edit(podTemplate=BAD | {"metadata": {"labels": {"team": "a"}}})
    bot.wait_condition("Ready", "False", "NotAllowed")
    bot.api.patch("GptBot", bot.namespace, "bot", {"metadata": {"annotations": {"gptbot.dev/paused": "true"}}})
    bot.wait_condition("Paused", "True")
    bot.edit(suspend=True)
    generation = bot.document["metadata"]["generation"]
    operator.looks_at(bot)
    assert bot.replicas() == 2, "a pause comes first"
    assert bot.document["status"]["observedGeneration"] == generation - 1
    ready = next(each for each in bot.document["status"]["conditions"] if each["type"] == "Ready")
    assert ready["observedGeneration"] == generation, "it is about the newest"
    bot.api.patch("GptBot", bot.namespace, "bot", {"metadata": {"annotations": {"gptbot.dev/paused": None}}})

    bot.wait_condition("Progressing", "False", "Suspended")
    counts = {"gateway": {"ready": 0, "desired": 0}, "workers": {"ready": 0, "desired": 0, "replicas": 0}}
    wait_for(lambda: {name: bot.document["status"][name] for name in counts} == counts, "they end")
    assert "hostPID" in bot.wait_condition("Ready", "False", "NotAllowed"), "what is to be mended stays said"
    assert bot.document["status"]["observedGeneration"] == generation
    for part, template in templates.items():
        deployment = bot.the("Deployment", part)
        assert (deployment["spec"]["replicas"], deployment["spec"]["template"]) == (0, template)
    before = {name: each["metadata"]["generation"] for name, each in bot.children().items() if "Deploy" in name}
    operator.looks_at(bot)
    after = {name: each["metadata"]["generation"] for name, each in bot.children().items() if "Deploy" in name}
    assert after == before, "it is done once"

    bot.edit(suspend=False)
    operator.looks_at(bot)
    assert bot.replicas() == 0, "who is refused does not begin"
    bot.edit(podTemplate=None)
    wait_for(lambda: bot.the("Deployment", "gateway")["spec"]["replicas"] == 1, "the gateway is back")
    wait_for(lambda: bot.replicas() >= 2, "the workers are the autoscaler's again")
    bot.wait_condition("Ready", "False", "GatewayUnavailable")


@pytest.mark.parametrize("mode", ["restricted", "trusted"])
def test_a_default_key_goes_to_its_own_host_alone(
    mode: str, make_bot: MakeBot, installation: Installation, tmp_path: Path
) -> None:
    key = {"name": "openai", "key": "key"}
    llm = {"baseUrl": "http://default.example/v1", "model": "m", "apiKeySecretRef": key}
    (tmp_path / "defaults.yaml").write_text(yaml.safe_dump({"llm": llm}))
    (tmp_path / "keys" / "openai").mkdir(parents=True)
    (tmp_path / "keys" / "openai" / "key").write_text("hunter2")
    installation.start(
        GPTBOT_TENANCY=mode,
        GPTBOT_ALLOWED_HOSTS="*",
        GPTBOT_DEFAULTS=str(tmp_path / "defaults.yaml"),
        GPTBOT_DEFAULT_KEYS=str(tmp_path / "keys"),
    )
    fair = make_bot("fair", llm=None)
    wait_for(lambda: "default_openai_key" in fair.the("Secret", "gptbot")["data"], "a bot without a model gets the key")
    for owner in ("thief", "fair"):
        stolen = {"name": f"{owner}-gptbot", "key": "default_openai_key"}
        for place in (
            {"baseUrl": "http://evil.example/v1", "model": "m", "apiKeySecretRef": stolen},
            {"fallbacks": [{"baseUrl": "http://evil.example/v1", "model": "m", "apiKeySecretRef": stolen}]},
        ):
            thief = make_bot("thief", llm=place)
            assert "is a key that the operator makes" in thief.wait_condition("Ready", "False", "NotAllowed")
            assert thief.children() == {}
            thief.api.delete("GptBot", thief.namespace, "thief")
            wait_for(lambda: thief.api.get("GptBot", thief.namespace, "thief") is None, "it is deleted")  # noqa: B023
    copies = [
        secret["metadata"]["name"]
        for secret in fair.api.list("Secret", fair.namespace)
        if base64.b64encode(b"hunter2").decode() in secret.get("data", {}).values()
    ]
    assert copies == ["fair-gptbot"]


def test_the_operator_connects_to_no_store_that_is_not_allowed(make_bot: MakeBot, installation: Installation) -> None:
    """A tenant's URL must not make the operator, which has another network, knock at doors."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        installation.start(GPTBOT_ALLOWED_HOSTS="model,localhost:1")
        bot = make_bot(store={"urlSecretRef": {"name": "store", "key": "url"}})
        bot.wait_condition("StoreReachable", "False", "SecretMissing")
        bot.wait_settled()
        before = bot.the("Deployment", "gateway")["metadata"]["generation"]
        bot.secret("store", url=f"redis://:hunter2@127.0.0.1:{port}/0")
        message = bot.wait_condition("Ready", "False", "NotAllowed")
        assert message == "spec.store.urlSecretRef: its address has a host that is not one of operator.allowedHosts"
        assert bot.the("Deployment", "gateway")["metadata"]["generation"] == before
        bot.secret("store", url="redis://:hunter2@localhost:1/0")
        bot.wait_condition("StoreReachable", "False", "Unreachable")
        door.setblocking(False)
        with pytest.raises(BlockingIOError):
            door.accept()
