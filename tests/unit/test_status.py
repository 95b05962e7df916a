"""The status as a function of what was seen."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot_api.doubts import Finding
from gptbot_operator.cache import Observed
from gptbot_operator.settings import Settings
from gptbot_operator.status import CONDITIONS, refused_status, status_of
from gptbot_operator.store import PlatformReport, Reading
from gptbot_operator.verdict import Seen, Verdict
from tests.unit.bots import bot

SETTINGS = Settings(image="gptbot:test")


ROLLED_OUT = {"Progressing": {"status": "True", "reason": "NewReplicaSetAvailable", "message": ""}}


def deployment(
    available: int, replicas: int = 1, updated: int | None = None, pods: int | None = None, **conditions: Any
) -> Observed:
    """A Deployment whose last rollout is over, unless a condition says otherwise; `updated`: pods of the newest."""
    facts = {
        "replicas": replicas, "pods": pods or replicas, "updated": replicas if updated is None else updated,
        "ready": available, "available": available, "conditions": ROLLED_OUT | conditions,
    }  # fmt: skip
    return Observed(uid="u", owner="o", bot="store/bot", fingerprint=b"f", facts=facts)


def autoscaler(**condition: str) -> Observed:
    facts = {"conditions": {"ScalingActive": condition} if condition else {}}
    return Observed(uid="u", owner="o", bot="store/bot", fingerprint=b"f", facts=facts)


UP = deployment(1)
ANSWERING: dict[str, Any] = {
    "settings": SETTINGS,
    "store": Reading(
        True,
        backlog=7,
        platforms={"web": PlatformReport(True), "telegram": PlatformReport(True)},
        model={"spec.llm": "ok"},
    ),
    "gateway": UP,
    "worker": deployment(2, 3),
    "autoscaler": autoscaler(status="True", reason="ValidMetricFound", message=""),
}


def seen_with(**changes: Any) -> Seen:
    """What is seen of a bot that answers, with changes."""
    return Seen(**{**ANSWERING, **changes})


def conditions(name: str, spec: dict[str, Any] | None = None, **changes: Any) -> dict[str, tuple[str, str, str]]:
    status = status_of(bot(name, **(spec or {})), seen_with(**changes), {}, "2026-01-01T00:00:00Z")
    assert [c["type"] for c in status["conditions"]] == list(CONDITIONS)
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in status["conditions"]}


def test_a_bot_that_answers() -> None:
    status = status_of(bot("cpu-autoscaling"), seen_with(), {}, "2026-01-01T00:00:00Z")
    assert status["backlog"] == 7
    assert status["workers"] == {"ready": 2, "desired": 3, "replicas": 3}
    assert status["platformNames"] == "web"
    assert status["gateway"] == {"ready": 1, "desired": 1}
    assert status["platforms"] == [
        {"name": "web", "connected": True, "since": "2026-01-01T00:00:00Z", "reason": "", "message": ""}
    ]
    labels = "app.kubernetes.io/name=gptbot,app.kubernetes.io/instance=cpu-autoscaling"
    assert status["selector"] == f"{labels},app.kubernetes.io/component=worker"
    seen = conditions("cpu-autoscaling")
    assert {name: status for name, (status, _, _) in seen.items()} == dict.fromkeys(CONDITIONS, "True") | {
        "Progressing": "False"
    }
    assert seen["Progressing"][1] == "Complete"
    assert seen["ScalingActive"] == ("True", "CPU", "2 to 40 workers, by CPU")


@pytest.mark.parametrize(
    ("name", "change", "reason", "part"),
    [
        ("external-store", {"conflicts": ["Service x exists"]}, "NameConflict", "Service x exists"),
        ("external-store", {"failures": ["Deployment x: bad"]}, "ApplyFailed", "Deployment x: bad"),
        ("external-store", {"store": Reading(False, "Unreachable", "no answer")}, "Unreachable", "no answer"),
        ("external-store", {"store": None}, "SecretMissing", "spec.store.urlSecretRef"),
        ("cpu-autoscaling", {"store": None}, "NoStore", "GPTBOT_STORE_URL"),
        ("external-store", {"gateway": None}, "GatewayUnavailable", "not been made"),
        ("external-store", {"gateway": deployment(0)}, "GatewayUnavailable", "0 of 1"),
        (
            "external-store",
            {"gateway": deployment(0, ReplicaFailure={"status": "True", "message": "quota exceeded"})},
            "GatewayUnavailable",
            "quota exceeded",
        ),
        ("external-store", {"gateway": deployment(0), "missing": ["key x is missing"]}, "SecretsMissing", "key x"),
        ("cpu-autoscaling", {"worker": deployment(0, 2)}, "WorkersUnavailable", "0 of 2"),
        ("embedded-model", {}, "NoEmbeddedModel", "model.enabled"),
        ("suspend", {}, "Suspended", "spec.suspend"),
        ("external-store", {"store": Reading(True, backlog=0)}, "PlatformsDisconnected", "has not reported yet"),
    ],
)
def test_not_ready_says_why(name: str, change: dict[str, Any], reason: str, part: str) -> None:
    ready = conditions(name, **change)["Ready"]
    assert ready[:2] == ("False", reason)
    assert part in ready[2]


def test_a_model_file_of_a_bot_on_a_cluster_is_said_to_belong_elsewhere() -> None:
    spec = {"llm": {"embedded": {"file": "model.gguf"}}}
    for name in ("embedded-model", "external-store"):
        status, reason, message = conditions(name, spec)["ModelReachable"]
        assert (status, reason) == ("False", "FileNotHere")
        assert "gptbot model --file" in message


def test_keys_that_cannot_be_read_are_told_and_the_bot_is_ready() -> None:
    reports = {"web": PlatformReport(True)}
    store = Reading(
        True, "Unreadable", "keys begin anew: later", backlog=0, platforms=reports, model={"spec.llm": "ok"}
    )
    seen = conditions("external-store", store=store)
    assert seen["StoreReachable"] == ("True", "Unreadable", "keys begin anew: later")
    assert seen["Ready"][0] == "True"


def test_a_bot_whose_share_of_the_store_is_full_is_not_ready() -> None:
    reports = {name: PlatformReport(True) for name in ("telegram", "discord", "web")}
    for reason, ready in (("StoreShare", "True"), ("StoreShareSpent", "False")):
        store = Reading(True, reason, "the bot fills", 0, platforms=reports, model={"spec.llm": "ok"})
        told = conditions("external-store", store=store)
        assert told["StoreReachable"] == ("True", reason, "the bot fills")
        assert told["Ready"][0] == ready
        assert (told["Ready"][1] == reason) is (ready == "False")


def test_one_platform_away_is_reported_and_the_bot_is_ready() -> None:
    reports = {"telegram": PlatformReport(False, "Telegram refuses the token"), "web": PlatformReport(True)}
    others = {"discord": PlatformReport(True), "irc": PlatformReport(True)}
    store = Reading(True, backlog=0, platforms=reports | others, model={"spec.llm": "ok"})
    seen = conditions("all-platforms", store=store)
    assert seen["PlatformsConnected"] == ("False", "Disconnected", "telegram: Telegram refuses the token")
    assert seen["Ready"] == ("True", "PartlyConnected", "telegram: Telegram refuses the token")
    status = status_of(bot("all-platforms"), seen_with(store=store), {}, "2026-01-01T00:00:00Z")
    assert status["platformNames"] == "discord,web,irc", "those that are connected"


def test_a_report_of_a_gateway_that_is_gone_counts_for_nothing() -> None:
    status = status_of(bot("external-store"), seen_with(gateway=deployment(0)), {}, "now")
    [entry] = status["platforms"]
    assert (entry["connected"], entry["reason"]) == (False, "GatewayUnavailable")
    assert entry["message"] == "no gateway is running"


def test_who_a_bot_is_and_since_when_it_is_connected() -> None:
    def entry(report: PlatformReport | None, previous: dict[str, Any], **changes: Any) -> dict[str, Any]:
        reports = {} if report is None else {"web": report}
        seen = seen_with(store=Reading(True, backlog=0, platforms=reports), **changes)
        return status_of(bot("external-store"), seen, previous, "2026-01-02T00:00:00Z")["platforms"][0]

    first = entry(PlatformReport(True, "", "", "shop_bot", "https://t.me/shop_bot", 1_767_225_600), {})
    assert first == {
        "name": "web", "connected": True, "since": "2026-01-01T00:00:00Z", "reason": "", "message": "",
        "username": "shop_bot", "inviteLink": "https://t.me/shop_bot",
    }  # fmt: skip
    previous = {"platforms": [first]}
    another_replica = PlatformReport(True, "", "", "shop_bot", "https://t.me/shop_bot", 1_767_229_999)
    assert entry(another_replica, previous) == first
    away = entry(None, previous, gateway=deployment(0))
    assert (away["connected"], away["since"], away["username"]) == (False, "2026-01-02T00:00:00Z", "shop_bot")
    refused = entry(PlatformReport(False, "no", "TokenRefused"), previous)
    assert "username" not in refused, "whose token it was is not who it is now"


@pytest.mark.parametrize(
    ("telegram", "discord", "status", "reason"),
    [
        (PlatformReport(True), PlatformReport(True), "True", "Connected"),
        (PlatformReport(True, "privacy mode", "PrivacyMode"), PlatformReport(True), "True", "Connected"),
        (PlatformReport(False, "x", "TokenRefused"), PlatformReport(True), "False", "TokenRefused"),
        (PlatformReport(False, "x", "TokenRefused"), PlatformReport(False, "y", "TokenRefused"), "False",
         "TokenRefused"),
        (PlatformReport(False, "x", "AnotherPoller"), PlatformReport(False, "y", "IntentMissing"), "False",
         "Disconnected"),
        (PlatformReport(False, "by an older gateway"), PlatformReport(True), "False", "Disconnected"),
    ],
)  # fmt: skip
def test_the_reason_of_platforms_is_that_of_those_away(
    telegram: PlatformReport, discord: PlatformReport, status: str, reason: str
) -> None:
    reports = {"telegram": telegram, "discord": discord, "web": PlatformReport(True), "irc": PlatformReport(True)}
    seen = conditions("all-platforms", store=Reading(True, backlog=0, platforms=reports))
    assert seen["PlatformsConnected"][:2] == (status, reason)
    for name, report in reports.items():
        if report.message:
            assert f"{name}: {report.message}" in seen["PlatformsConnected"][2]


@pytest.mark.parametrize(
    ("name", "change", "status", "reason", "part"),
    [
        ("no-workers", {}, "False", "NoWorkers", "answers alone"),
        ("fixed-workers", {}, "False", "FixedReplicas", "3 workers"),
        ("suspend", {}, "False", "Suspended", ""),
        ("scale-to-zero", {}, "True", "CPU", "one worker is kept"),
        (
            "cpu-autoscaling",
            {"scalers": {"worker": "ScaledObject mine"}},
            "False",
            "Conflict",
            "ScaledObject mine scales",
        ),
        ("cpu-autoscaling", {"scalers": {"gateway": "HPA mine"}}, "False", "Conflict", "cpu-autoscaling-gateway"),
        ("cpu-autoscaling", {"scalers": {"bot": "HPA mine"}}, "False", "Conflict", "workers.autoscaling: none"),
        ("own-autoscaling", {}, "False", "NoAutoscaler", "nothing scales"),
        ("own-autoscaling", {"scalers": {"worker": "HPA mine"}}, "True", "External", "HPA mine decides"),
        (
            "own-autoscaling",
            {"scalers": {"worker": "HPA a", "bot": "HPA b"}},
            "False",
            "Conflict",
            "so HPA b has no effect",
        ),
        ("scaled-by-hand", {}, "False", "FixedReplicas", "4 workers, as workers.replicas says"),
        ("scaled-by-hand", {"scalers": {"bot": "HPA mine"}}, "True", "External", "HPA mine decides"),
        (
            "scaled-by-hand",
            {"scalers": {"worker": "HPA a"}},
            "False",
            "Conflict",
            "so workers.replicas (4) has no effect",
        ),
        ("cpu-autoscaling", {"autoscaler": None}, "Unknown", "Starting", ""),
        (
            "cpu-autoscaling",
            {"autoscaler": autoscaler(status="False", reason="FailedGetResourceMetric", message="no metrics")},
            "False",
            "FailedGetResourceMetric",
            "no metrics",
        ),
    ],
)
def test_scaling_says_what_decides(name: str, change: dict[str, Any], status: str, reason: str, part: str) -> None:
    scaling = conditions(name, **change)["ScalingActive"]
    assert scaling[:2] == (status, reason)
    assert part in scaling[2]


def test_times_change_with_the_status_only() -> None:
    subject = bot("external-store")
    first = status_of(subject, seen_with(), {}, "2026-01-01T00:00:00Z")
    same = status_of(subject, seen_with(), first, "2026-01-02T00:00:00Z")
    assert same == first
    away = seen_with(store=Reading(False, "Unreachable", "no answer"))
    later = status_of(subject, away, first, "2026-01-02T00:00:00Z")
    times = {c["type"]: c["lastTransitionTime"] for c in later["conditions"]}
    assert times["StoreReachable"] == times["Ready"] == "2026-01-02T00:00:00Z"
    assert times["SecretsResolved"] == "2026-01-01T00:00:00Z"


def test_a_spec_that_an_older_crd_let_through_is_told_and_the_rest_is_unknown() -> None:
    first = status_of(bot("external-store"), seen_with(), {}, "2026-01-01T00:00:00Z")
    document = {"metadata": {"generation": 3}, "status": first}
    refusal = Verdict("False", "InvalidSpec", "spec.llm: Required value")
    status = refused_status(document, refusal, None, {}, "2026-01-02T00:00:00Z")
    assert status["observedGeneration"] == 3
    assert "backlog" not in status
    assert status["platforms"] == first["platforms"]
    said = {c["type"]: (c["status"], c["reason"], c["message"]) for c in status["conditions"]}
    assert said.pop("Ready") == ("False", "InvalidSpec", "spec.llm: Required value")
    assert set(said.values()) == {("Unknown", "InvalidSpec", "")}


def test_the_status_of_a_refused_bot_counts_its_pods_and_a_pause_stops_its_generation() -> None:
    first = status_of(bot("external-store"), seen_with(), {}, "2026-01-01T00:00:00Z")
    refusal = Verdict("False", "NotAllowed", "spec.expose.host: no")
    stopping = Verdict("False", "Suspended", "its pods end")
    document: dict[str, Any] = {"metadata": {"generation": 3}, "status": first}
    status = refused_status(document, refusal, stopping, {"gateway": deployment(available=0)}, "2026-01-02T00:00:00Z")
    assert status["gateway"] == {"ready": 0, "desired": 1}
    assert status["workers"] == {"ready": 0, "desired": 0, "replicas": 0}, "it has none"
    said = {c["type"]: (c["reason"], c["observedGeneration"]) for c in status["conditions"]}
    assert (said["Ready"], said["Progressing"]) == (("NotAllowed", 3), ("Suspended", 3))

    document["metadata"]["annotations"] = {"gptbot.dev/paused": "true"}
    paused = refused_status(document, refusal, None, {}, "2026-01-02T00:00:00Z")
    assert paused["observedGeneration"] == first["observedGeneration"] != 3, "what was acted on last"
    assert {c["observedGeneration"] for c in paused["conditions"]} == {3}, "what they are about"
    assert not refused_status({**document, "status": {}}, refusal, None, {}, "")["observedGeneration"]


def test_a_spec_that_looks_wrong_is_told_of_and_changes_nothing() -> None:
    """The condition Plausible is there only then."""
    likely = Finding("spec.context.ttl", "is longer than privacy.retention")
    certain = Finding("spec.access.deny[0]", "matches nobody", certain=True)
    for doubts, reason in (([likely], "LikelyWrong"), ([certain, likely], "CannotBeRight")):
        status = status_of(bot("cpu-autoscaling"), seen_with(doubts=doubts), {}, "2026-01-01T00:00:00Z")
        found = {c["type"]: (c["status"], c["reason"], c["message"]) for c in status["conditions"]}
        assert found["Plausible"] == ("False", reason, "; ".join(map(str, doubts)))
        assert found["Ready"][:2] == ("True", "Answering")
    assert "Plausible" not in conditions("cpu-autoscaling")


def test_a_key_that_was_never_filled_in_is_told_of() -> None:
    seen = conditions("cpu-autoscaling", unfilled=["spec.llm.apiKeySecretRef: is still an example"])
    assert seen["SecretsResolved"] == ("False", "NotFilledIn", "spec.llm.apiKeySecretRef: is still an example")
    both = conditions("cpu-autoscaling", unfilled=["a"], missing=["b"])["SecretsResolved"]
    assert both == ("False", "Missing", "b; a")
