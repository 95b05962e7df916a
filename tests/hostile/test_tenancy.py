"""What whoever may write GptBots may try against the node, other Secrets, other hosts: the rules, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot_api import GptBot, parse
from gptbot_api.spec import GptBotSpec
from gptbot_api.validate import parse_as
from gptbot_operator.settings import InvalidSettings, Settings
from gptbot_operator.tenancy.allowed import Tenancy
from gptbot_operator.tenancy.hosts import NOT_CONTACTED, Host, HostPattern, is_address, is_hostname, models
from gptbot_operator.tenancy.rules import NotAllowed, faults, permit, permit_store
from tests.chart.rendering import VALUES, find, render
from tests.hostile import tenancy
from tests.hostile.growth import MOST_GROWTH, measured
from tests.hostile.inputs import Hostile
from tests.hostile.tenancy import ADDRESSES, ALLOWED, NAMESPACE, REF, REFUSED, Case

OWN_NAMES = {("Expose", "host"), ("Web", "hosts")}
"""Names that a bot itself is reached by."""
SPEAKING = ("url", "host", "address", "endpoint", "uri", "server", "proxy", "issuer", "domain", "site", "origin")
NOT_HOSTS = {
    ("HostToken", "issuer"): "is compared with a claim",
    ("Web", "per_address"): "counts",
    ("OpenIdConnect", "allowed_domains"): "is compared with a claim",
    ("Store", "url_secret_ref"): "permit_store looks at what the Secret holds",
}


def bot(spec: dict[str, Any], name: str = "bot") -> GptBot:
    metadata = {"name": name, "namespace": NAMESPACE}
    return parse({"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata, "spec": spec})


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Tenancy:
    """What the chart's values come to in the operator."""
    objects = render(VALUES[tenancy.VALUES])
    [container] = find(objects, "Deployment", "-operator")["spec"]["template"]["spec"]["containers"]
    environment = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    file = tmp_path_factory.mktemp("defaults") / "defaults.yaml"
    file.write_text(find(objects, "ConfigMap", "-defaults")["data"]["defaults.yaml"])
    return Settings.from_environment(environment | {"GPTBOT_DEFAULTS": str(file)}).tenancy


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_is_not_allowed_is_named(case: Case, installation: Tenancy) -> None:
    found = list(faults(bot(case.spec()), installation))
    assert case.fault in {fault.path for fault in found}
    assert all(fault.path.startswith(case.fault) for fault in found), "nothing else is"
    assert not list(faults(bot(case.spec()), Tenancy(restricted=False))), "trusted tenants may"


@pytest.mark.parametrize("url", tenancy.STORED_URLS)
def test_an_address_of_before_is_judged_as_well(url: str, installation: Tenancy) -> None:
    document = bot(Case("llm", {"baseUrl": "https://api.openai.com/v1", "model": "m"}).spec()).model_dump(
        by_alias=True, exclude_unset=True
    )
    document["metadata"]["uid"] = "it-is-stored"
    document["spec"]["llm"]["baseUrl"] = url
    assert {fault.path for fault in faults(parse(document), installation)} == {"spec.llm.baseUrl"}


@pytest.mark.parametrize("case", ALLOWED, ids=str)
def test_what_is_allowed_is_let_through(case: Case, installation: Tenancy) -> None:
    permit(bot(case.spec()), installation)


def test_no_field_that_names_a_host_is_forgotten() -> None:
    """Every address of the API is checked by its type, and a field that looks like one has that type."""
    for model in models(GptBotSpec):
        for name, info in model.model_fields.items():
            at = (model.__name__, name)
            if is_hostname(info):
                assert at in OWN_NAMES, f"{at}: say in tenancy/rules.py who may use which name"
            elif any(word in name for word in SPEAKING):
                assert is_address(info) or at in NOT_HOSTS, f"{at}: make it an HttpUrl, or say here what it is"
    fields = {path.split(".")[-1].lower() for path in ADDRESSES}
    contacted = {
        (info.alias or name).lower()
        for model in models(GptBotSpec)
        for name, info in model.model_fields.items()
        if is_address(info) and (model, name) not in NOT_CONTACTED
    }
    assert contacted == fields
    found = sum(
        is_address(info) and (model, name) not in NOT_CONTACTED
        for model in models(GptBotSpec)
        for name, info in model.model_fields.items()
    )
    assert found == len(ADDRESSES), "a field is missing in tests/hostile/tenancy.py"


@pytest.mark.parametrize("restricted", [True, False], ids=["restricted", "trusted"])
@pytest.mark.parametrize("owner", ["bot", "another"])
@pytest.mark.parametrize("key", ["default_openai_key", "store-url", "used-store", "moving-to", "pepper"])
def test_what_the_operator_puts_beside_bots_goes_nowhere_else(owner: str, key: str, restricted: bool) -> None:
    allowed = Tenancy(restricted=restricted, hosts=(HostPattern.of("*"),))
    stolen = {"name": f"{owner}-gptbot", "key": key}
    for path, (field, value) in ADDRESSES.items():
        case = Case(field, _stealing(tenancy.with_url(value, "https://evil.example"), stolen))
        if str(stolen) not in str(case.value):
            continue
        with pytest.raises(NotAllowed) as error:
            permit(bot(case.spec()), allowed)
        assert path.rpartition(".")[0].split("[")[0].split(".webhook")[0] in str(error.value)
    with pytest.raises(NotAllowed, match=r"spec\.store\.urlSecretRef: is a key that the operator makes"):
        permit(bot(tenancy.GOOD | {"store": {"urlSecretRef": stolen}}), allowed)
    with pytest.raises(NotAllowed, match=r"spec\.platforms\.extra\.x\.keySecretRef: is a key that the operator makes"):
        permit(bot(Case("platforms.extra", {"x": {"keySecretRef": stolen}}).spec()), allowed)


def _stealing(node: Any, stolen: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {name: stolen if value == REF else _stealing(value, stolen) for name, value in node.items()}
    return [_stealing(item, stolen) for item in node] if isinstance(node, list) else node


def test_a_secret_of_ones_own_may_be_called_alike(installation: Tenancy) -> None:
    own = {"name": "my-gptbot", "key": "token"}
    permit(bot(Case("platforms.telegram", {"tokenSecretRef": own}).spec()), installation)


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("redis://:pw@store.example:6379/0", True),
        ("redis://:pw@store.shop.svc", True),
        ("rediss+cluster://a.shop.svc,b.shop.svc", True),
        ("redis://:pw@store.example:6380/0", False),
        ("redis://store.example:6379@evil.example/0", False),
        ("redis://[fd00::9]:6379", False),
        ("redis://169.254.169.254", False),
        ("rediss+cluster://a.shop.svc,evil.example", False),
        ("redis+sentinel://evil.example/main", False),
        ("redis://store.other.svc", False),
        ("unix:///run/redis.sock", False),
        ("no URL at all", True),
    ],
)
def test_a_store_is_where_the_installation_allows_it(url: str, fine: bool, installation: Tenancy) -> None:
    """A URL that is none is StoreReachable's to complain of. Nothing of it is repeated: it may be any Secret."""
    owner = bot(tenancy.GOOD | {"store": {"urlSecretRef": REF}})
    permit_store(owner, url, Tenancy(restricted=False))
    if fine:
        permit_store(owner, url, installation)
        return
    with pytest.raises(NotAllowed) as error:
        permit_store(owner, url, installation)
    assert str(error.value).startswith("not allowed here: spec.store.urlSecretRef: its address ")
    assert not any(word in str(error.value) for word in ("evil", "pw", "169", "fd00", "sock:"))


def test_hosts_are_read_alike_in_entries_and_addresses() -> None:
    assert HostPattern.of("EXAMPLE.com.").matches(Host.of("https://example.COM./x"))
    assert HostPattern.of("[FD00:0::1]").matches(Host.of("https://[fd00::1]/x"))
    assert HostPattern.of("*").matches(Host.of("wss://[::1]"))
    assert not HostPattern.of("*.example.com").matches(Host.of("https://example.com"))
    for url in ("example.com", "https://", "https:///x", "https://a:65536/", "https://[::1", "https://[fe80::1%25a]/"):
        with pytest.raises(ValueError, match=r".+"):
            Host.of(url)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TENANCY", "open", "restricted or trusted"),
        ("ALLOWED_HOSTS", "https://a", "none of HOST"),
        ("ALLOWED_HOSTS", "a/b", "none of HOST"),
        ("ALLOWED_HOSTS", "*a.example", "none of HOST"),
        ("ALLOWED_HOSTS", "a.*.example", "none of HOST"),
        ("ALLOWED_HOSTS", "user@a", "none of HOST"),
        ("ALLOWED_HOSTS", "a:0", "port"),
        ("ALLOWED_HOSTS", "a:99999", "port"),
        ("ALLOWED_HOSTS", "[12345::1::2]", "ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", "bücher.example", "xn--"),
        ("ALLOWED_EXPOSE_HOSTS", "a b", "none of HOST"),
        ("ALLOWED_LABELS", "a*b", "ALLOWED_LABELS"),
        ("ALLOWED_INGRESS_CLASSES", "a b", "ALLOWED_INGRESS_CLASSES"),
        ("ALLOWED_EGRESS", "10.0.0.1/8", "no network"),
        ("ALLOWED_EGRESS", "Kube", "neither a namespace"),
    ],
)
def test_settings_that_make_no_sense_are_refused(variable: str, value: str, said: str) -> None:
    with pytest.raises(InvalidSettings, match=said) as error:
        Settings.from_environment({"GPTBOT_IMAGE": "x", f"GPTBOT_{variable}": value})
    assert f"GPTBOT_{variable}" in str(error.value)


def test_restricted_is_the_default_and_knows_the_installation_s_own_hosts() -> None:
    settings = Settings.from_environment({"GPTBOT_IMAGE": "x", "GPTBOT_MODEL_URL": "http://model.gptbot.svc:8000/v1"})
    assert settings.tenancy.restricted
    permit(
        bot({"platforms": {"telegram": {"tokenSecretRef": REF}, "discord": {"tokenSecretRef": REF}}}), settings.tenancy
    )
    own = {"baseUrl": "http://model.gptbot.svc:8000/v1", "model": "m"}
    permit(bot(tenancy.GOOD | {"llm": own}), settings.tenancy)
    with pytest.raises(NotAllowed, match=r"spec\.llm\.baseUrl"):
        permit(bot(tenancy.GOOD), settings.tenancy)


def test_cost_grows_with_the_bot_and_no_faster(installation: Tenancy) -> None:
    """Many keys, many addresses, long addresses, as much of it as an object of the API can hold."""

    def judge(text: str) -> None:
        pieces = [text[start : start + 20] for start in range(0, len(text), 20)]
        spec = Case("podTemplate.spec", {f"{index}{piece}": None for index, piece in enumerate(pieces)}).spec()
        spec["platforms"]["extra"] = {"matrix": {"one": text, "many": pieces}}
        for _ in faults(made.model_copy(update={"spec": parse_as(GptBotSpec, spec)}), installation):
            pass

    made = bot(tenancy.GOOD)
    hosts = Hostile("hosts", lambda size: "http://a.b." * (size // 11 + 1))
    for item in (hosts, Hostile("dots", lambda size: "." * size)):
        growth = measured(judge, 200_000, item)
        assert growth.ratio <= MOST_GROWTH, growth
