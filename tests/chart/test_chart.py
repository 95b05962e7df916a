"""What the chart renders."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from gptbot.llm import metrics as llm_metrics
from gptbot.telemetry import metrics
from gptbot_api import parse
from gptbot_api.crd import render as render_crd
from gptbot_api.defaults import parse_defaults
from gptbot_operator import metrics as operator_metrics
from gptbot_operator.settings import Settings
from tests.chart.rendering import CHART, ROOT, VALUES, Manifest, containers, find, helm, pod_templates, render, template

every_set = pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())


@pytest.mark.parametrize("name", VALUES)
def test_lints(name: str, tmp_path: Any) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(VALUES[name]))
    answer = helm("lint", CHART, "--strict", "--values", file)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@every_set
def test_objects_fit_the_schemas_of_kubernetes(values: Manifest) -> None:
    for each in render(values):
        if each["kind"] == "GptBot":
            parse(each)
        else:
            kubernetes_validate.validate(each, "1.37", strict=True)


@every_set
def test_objects_say_where_they_belong(values: Manifest) -> None:
    for each in render({name: value for name, value in values.items() if name != "extraObjects"}):
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "demo"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        if not each["kind"].startswith(("ClusterRole", "ValidatingAdmissionPolicy")):
            assert each["metadata"]["namespace"]


def test_a_new_version_of_the_chart_alone_rolls_no_pod() -> None:
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    for name, pod in pod_templates(render(VALUES["all-on"])):
        assert name.startswith("Pod ") or version not in json.dumps(pod["metadata"]), name


def test_selectors_match_their_pods_and_no_others() -> None:
    objects = render(VALUES["all-on"])
    pods = {name: pod["metadata"]["labels"] for name, pod in pod_templates(objects)}
    selectors = [
        (each["metadata"]["name"], each["spec"]["selector"].get("matchLabels", each["spec"]["selector"]))
        for each in objects
        if "selector" in each.get("spec", {})
    ]
    assert len(pods) == 4
    assert len(selectors) == 6
    for name, selector in selectors:
        matching = [pod for pod, labels in pods.items() if selector.items() <= labels.items()]
        assert len(matching) == 1, f"{name} selects {matching}"
        assert matching[0].split()[1] == name


def test_the_operator_may_do_what_its_page_says_and_no_more() -> None:
    page = (ROOT / "docs" / "operator.md").read_text()
    documented = re.search(r"<!-- rbac:.*?-->\s*```yaml\n(.*?)```", page, re.DOTALL)
    assert documented, "docs/operator.md has no block of rules after <!-- rbac: … -->"
    objects = render({})
    assert find(objects, "ClusterRole", "-operator")["rules"] == yaml.safe_load(documented[1])
    assert find(objects, "ClusterRole", "-crd")["rules"] == [
        {
            "apiGroups": ["apiextensions.k8s.io"],
            "resources": ["customresourcedefinitions"],
            "resourceNames": ["gptbots.gptbot.dev"],
            "verbs": ["get", "patch"],
        },
        {
            "apiGroups": ["apiextensions.k8s.io"],
            "resources": ["customresourcedefinitions/status"],
            "resourceNames": ["gptbots.gptbot.dev"],
            "verbs": ["patch"],
        },
        {"apiGroups": ["gptbot.dev"], "resources": ["gptbots"], "verbs": ["list"]},
        {"apiGroups": ["gptbot.dev"], "resources": ["gptbots/status"], "verbs": ["patch"]},
    ]


def test_an_operator_of_some_namespaces_gets_roles_in_them_alone() -> None:
    objects = render(VALUES["two-namespaces"])
    clusterwide = [each for each in objects if each["kind"].startswith("Cluster")]
    assert all("aggregate-to" in json.dumps(each["metadata"]["labels"]) for each in clusterwide)
    roles = [each for each in objects if each["kind"] == "Role" and not each["metadata"]["name"].endswith("-lease")]
    assert [role["metadata"]["namespace"] for role in roles] == ["one", "two"]
    everywhere = find(render({}), "ClusterRole", "-operator")
    assert all(role["rules"] == everywhere["rules"] for role in roles)
    assert _environment(objects)["GPTBOT_NAMESPACES"] == {"value": "one,two"}


@every_set
def test_no_secret_lies_in_an_argument_or_a_plain_variable(values: Manifest) -> None:
    objects = render(values)
    secrets = [
        base64.b64decode(value).decode()
        for each in objects
        if each["kind"] == "Secret"
        for value in each["data"].values()
    ]
    if values.get("valkey", {}).get("enabled", True) and "auth" not in values.get("valkey", {}):
        assert len(secrets[0]) >= 32
    shown = json.dumps([each for each in objects if each["kind"] != "Secret"])
    assert not [secret for secret in secrets if secret in shown]
    for name, container in containers(objects):
        for variable in container.get("env", []):
            if re.search(r"PASSWORD|STORE_URL|TOKEN|SECRET", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"], f"{name}: {variable['name']}"


def test_only_the_operator_gets_a_token() -> None:
    for name, pod in pod_templates(render(VALUES["all-on"])):
        assert pod["spec"]["automountServiceAccountToken"] is name.endswith("-operator"), name


@every_set
def test_every_container_says_what_it_needs(values: Manifest) -> None:
    for name, container in containers(render(values)):
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
        assert "memory" in container["resources"]["limits"], name


@pytest.mark.parametrize(
    ("values", "source"),
    [
        ({}, {"name": "demo-gptbot-store", "key": "url"}),
        (VALUES["existing-password"], {"name": "mine", "key": "url"}),
        (VALUES["external-store"], {"name": "redis", "key": "address"}),
        (VALUES["no-store"], None),
    ],
    ids=["valkey", "existing-password", "external-store", "no-store"],
)
def test_the_operator_is_told_of_the_store(values: Manifest, source: Manifest | None) -> None:
    objects = render(values)
    variable = _environment(objects).get("GPTBOT_STORE_URL")
    assert variable == (None if source is None else {"valueFrom": {"secretKeyRef": source}})
    made = [each for each in objects if each["kind"] == "Secret"]
    assert bool(made) is (values == {})


def test_who_uses_an_external_store_trusts_its_authorities() -> None:
    objects = render(VALUES["external-store-tls"])
    operator = find(objects, "Deployment", "-operator")["spec"]["template"]["spec"]
    for pod in (operator, find(objects, "Pod", "-test")["spec"]):
        container = pod["containers"][0]
        [variable] = [each for each in container["env"] if each["name"] == "GPTBOT_STORE_CA"]
        [volume] = [each for each in pod["volumes"] if each["name"] == "store-ca"]
        [mount] = [each for each in container["volumeMounts"] if each["name"] == "store-ca"]
        [item] = volume["secret"]["items"]
        assert (volume["secret"]["secretName"], item["key"]) == ("redis", "ca.crt")
        assert variable["value"] == f"{mount['mountPath']}/{item['path']}"


def test_the_address_of_the_store_is_that_of_its_service() -> None:
    objects = render({})
    data = {key: base64.b64decode(value).decode() for key, value in find(objects, "Secret")["data"].items()}
    service = find(objects, "Service", "-store")
    host = f"{service['metadata']['name']}.bots.svc:{service['spec']['ports'][0]['port']}"
    assert data["url"] == f"redis://:{data['password']}@{host}/0"


def test_conversations_outlive_the_store_s_pod() -> None:
    objects = render({})
    configuration = find(objects, "ConfigMap", "-store")["data"]["valkey.conf"].splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction", "dir /data"} <= set(configuration)
    claims = find(objects, "StatefulSet")["spec"]["volumeClaimTemplates"]
    assert claims[0]["spec"]["resources"]["requests"]["storage"] == "1Gi"
    mounts = find(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert {"name": claims[0]["metadata"]["name"], "mountPath": "/data"} in mounts


def test_images() -> None:
    default = {name.split(": ")[1]: container["image"] for name, container in containers(render({}))}
    assert default == {
        "operator": "gptbot-operator:dev", "crd": "gptbot-operator:dev", "valkey": "gptbot:dev",
        "conversation": "gptbot:dev",
    }  # fmt: skip
    other = {
        name.split(": ")[1]: container["image"] for name, container in containers(render(VALUES["own-valkey-image"]))
    }
    assert other["operator"] == "registry.example.com/gptbot-operator:dev"
    assert other["valkey"] == "docker.io/valkey/valkey@sha256:" + "0" * 64
    assert _environment(render(VALUES["all-on"]))["GPTBOT_IMAGE"] == {"value": "registry.example.com/team/gptbot:dev"}


def test_the_model_is_where_the_operator_says() -> None:
    assert "GPTBOT_MODEL_URL" not in _environment(render({}))
    objects = render(VALUES["all-on"])
    service = find(objects, "Service", "-model")
    address = f"http://{service['metadata']['name']}.bots.svc:{service['spec']['ports'][0]['port']}/v1"
    assert _environment(objects)["GPTBOT_MODEL_URL"] == {"value": address}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"modell": {}}, "additional properties 'modell' not allowed"),
        ({"model": {"enabled": "yes"}}, "/model/enabled"),
        (
            {"valkey": {"persistence": {"size": "5GB"}}},
            'valkey.persistence.size is "5GB": it must be the size of a volume',
        ),
        ({"operator": {"logLevel": "loud"}}, "/operator/logLevel"),
        ({"operator": {"replicas": 9}}, "/operator/replicas"),
        ({"operator": {"replica": 2}}, "additional properties 'replica' not allowed"),
        ({"operator": {"namespaces": ["Not A Name"]}}, "/operator/namespaces/0"),
        ({"botImage": {"tag": ""}}, "/botImage/tag"),
        (
            {"operator": {"resources": {"limits": {"memory": "512MB"}}}},
            'operator.resources.limits.memory is "512MB": it must be an amount',
        ),
        ({"valkey": {"maxMemory": "24x"}}, 'valkey.maxMemory is "24x": it must be an amount'),
        ({"metrics": {"serviceMonitor": {"interval": 24}}}, "it must be a duration with its unit, such as 30s or 1m"),
        ({"operator": {"allowedHosts": ["a.example.com:99999"]}}, "a port is a number from 1 to 65535"),
        ({"operator": {"allowedHosts": ["https://a.example.com"]}}, "HOST, HOST:PORT, *.DOMAIN or *, such as"),
        ({"operator": {"allowedEgress": ["10.1.2.3/16"]}}, "behind the prefix no bit may be set. Is 10.1.2.3/32 meant"),
        ({"operator": {"allowedEgress": ["10.1.0.0/99"]}}, '"10.1.0.0/99", which is no network'),
        ({"operator": {"allowedEgress": ["10.1.0.256/24"]}}, '"10.1.0.256/24", which is no network'),
        ({"operator": {"allowedEgress": ["fd00::/129"]}}, '"fd00::/129", which is no network'),
        ({"operator": {"allowedEgress": ["2001:db8::1/32"]}}, "bit may be set. Is 2001:db8::1/128 meant"),
        ({"operator": {"allowedEgress": ["1:2:3:4:5:6:7:9/125"]}}, "behind the prefix no bit may be set"),
        ({"operator": {"allowedEgress": ["fd00:1/64"]}}, '"fd00:1/64", which is no network'),
        ({"operator": {"allowedEgress": ["1::2::3/64"]}}, '"1::2::3/64", which is no network'),
        ({"imageRegistry": "https://registry.example.com"}, "without a scheme, a tag or a space, such as"),
        ({"imageRegistry": "registry.example.com/team:1"}, "without a scheme, a tag or a space, such as"),
        (
            {"defaults": {"privacy": {"retention": "24"}}},
            'defaults.privacy.retention is "24": it must be a whole number and its unit',
        ),
        (
            {"defaults": {"gateway": {"resources": {"limits": {"memory": "512MB"}}}}},
            'defaults.gateway.resources.limits.memory is "512MB": it must be an amount',
        ),
        (
            {"exampleBot": {"spec": {"context": {"ttl": "1 day"}}}},
            'exampleBot.spec.context.ttl is "1 day": it must be a whole number and its unit',
        ),
        ({"fullnameOverride": "1shop"}, "the objects would be named 1shop-…"),
        ({"valkey": None}, "valkey is null, and the chart reads what is under it"),
        ({"defaults": None}, "to have none, set defaults.llm=null"),
        ({"model": {"tolerations": [{"effekt": "NoSchedule"}]}}, "additional properties 'effekt' not allowed"),
        ({"valkey": {"affinity": {"nodes": {}}}}, "additional properties 'nodes' not allowed"),
        ({"extraObjects": [1]}, "/extraObjects/0"),
        ({"defaults": {"limits": {"tokensPerDay": "many"}}}, "/defaults/limits/tokensPerDay"),
        ({"defaults": {"personas": []}}, "additional properties 'personas' not allowed"),
        ({"exampleBot": {"enabled": True, "name": "A bot"}}, "/exampleBot/name"),
        ({"exampleBot": {"spec": {"limits": {"tokensPerDay": "many"}}}}, "/exampleBot/spec/limits/tokensPerDay"),
        ({"exampleBot": {"spec": {"persona": []}}}, "additional properties 'persona' not allowed"),
        ({"exampleBot": {"enabled": True}}, "set model.enabled=true too"),
        ({"defaults": {"llm": {"embedded": {}}}}, "defaults.llm is the embedded model: set model.enabled=true too"),
        ({"externalStore": {"existingSecret": "redis"}}, "two stores are set"),
        ({"externalStore": {"caKey": "ca.crt"}}, "name that too"),
        ({"serviceAccount": {"create": False}}, "serviceAccount.name is needed"),
        (VALUES["all-on"] | {"valkey": {"enabled": False}}, "the example bot has no store"),
        (VALUES["all-on"] | {"operator": {"namespaces": ["other"]}}, "add bots to operator.namespaces"),
    ],
)
def test_wrong_values_are_refused_and_named(values: Manifest, said: str) -> None:
    answer = template(values)
    assert answer.returncode != 0
    assert said in answer.stderr


def test_what_may_be_allowed_is_taken_by_the_operator_too() -> None:
    egress = ["*", "monitoring", "0.0.0.0/0", "10.1.0.0/16", "10.1.2.3/32", "192.168.4.0/22", "fd00:1::/32", "::/0"]
    egress += ["fd00::1/128", "2001:db8:0:ff00::/56", "1:2:3:4:5:6:7:8/125"]
    hosts = ["*", "a.example.com", "*.example.com", "a.example.com:1", "a.example.com:65535", "[fd00::1]:443"]
    objects = render({"operator": {"allowedEgress": egress, "allowedHosts": hosts}})
    given = {name: each["value"] for name, each in _environment(objects).items() if name.startswith("GPTBOT_ALLOWED")}
    assert Settings.from_environment({"GPTBOT_IMAGE": "x"} | given).tenancy


def test_two_operators_share_a_lease_and_are_not_evicted_together() -> None:
    objects = render(VALUES["high-availability"])
    deployment = find(objects, "Deployment", "-operator")
    assert deployment["spec"]["replicas"] == 2
    assert find(objects, "PodDisruptionBudget", "-operator")["spec"]["maxUnavailable"] == 1
    assert deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    lease = _environment(objects)["GPTBOT_LEASE"]["value"]
    rules = find(objects, "Role", "-lease")["rules"]
    assert [rule.get("resourceNames", []) for rule in rules] == [[], [lease.split("/")[1]]]
    assert lease.split("/")[0] == find(objects, "Role", "-lease")["metadata"]["namespace"]
    assert not [each for each in render({}) if each["kind"] == "PodDisruptionBudget"]


def test_rights_on_gptbots_join_the_roles_of_the_cluster() -> None:
    roles = {
        label.removeprefix("rbac.authorization.k8s.io/aggregate-to-"): each["rules"][0]["verbs"]
        for each in render({})
        for label in each["metadata"]["labels"]
        if label.startswith("rbac.authorization.k8s.io/aggregate-to-")
    }
    assert roles["view"] == ["get", "list", "watch"]
    assert roles["edit"] == roles["admin"]
    assert {"create", "delete", "patch", "update"} <= set(roles["edit"])
    assert "aggregate-to" not in json.dumps(render({"rbac": {"aggregate": False}}))


def test_the_network_lets_only_gptbots_to_store_and_model() -> None:
    for values, namespaces in ((VALUES["all-on"], None), (VALUES["two-namespaces"], ["one", "two"])):
        policies = {
            each["metadata"]["name"].removeprefix("demo-gptbot-"): each["spec"]
            for each in render(values)
            if each["kind"] == "NetworkPolicy"
        }
        for name in policies.keys() & {"store", "model"}:
            [rule] = policies[name]["ingress"]
            own, peer = rule["from"]
            assert own["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "demo"
            assert own["podSelector"]["matchExpressions"][0]["values"] == ["operator", "test"]
            assert "namespaceSelector" not in own
            assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/part-of": "gptbot"}
            assert peer["podSelector"]["matchExpressions"] == [{"key": "gptbot.dev/bot", "operator": "Exists"}]
            expected = {
                "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces}]
            }
            assert peer["namespaceSelector"] == (expected if namespaces else {})
        assert policies["operator"]["ingress"] == [
            {"ports": [{"port": "health", "protocol": "TCP"}, {"port": "metrics", "protocol": "TCP"}]}
        ]
        assert policies["operator"]["policyTypes"] == policies["test"]["policyTypes"] == ["Ingress"]
        assert policies["test"]["ingress"] == []
    labels = [pod["metadata"]["labels"] for _, pod in pod_templates(render(VALUES["all-on"]))]
    assert all(each["app.kubernetes.io/part-of"] == "gptbot" for each in labels)
    assert not [each for each in render({"networkPolicy": {"enabled": False}}) if each["kind"] == "NetworkPolicy"]


def test_services_are_of_both_families_of_addresses() -> None:
    services = [each["spec"] for each in render(VALUES["all-on"]) if each["kind"] == "Service"]
    assert len(services) == 3
    assert {each["ipFamilyPolicy"] for each in services} == {"PreferDualStack"}


def test_every_network_policy_is_of_one_kind_of_pods() -> None:
    objects = render(VALUES["all-on"])
    pods = [pod["metadata"]["labels"] for _, pod in pod_templates(objects)]
    for policy in (each for each in objects if each["kind"] == "NetworkPolicy"):
        chosen = policy["spec"]["podSelector"]["matchLabels"].items()
        assert len([labels for labels in pods if chosen <= labels.items()]) == 1, policy["metadata"]["name"]


def test_a_service_monitor_comes_only_where_the_cluster_knows_the_kind(tmp_path: Path) -> None:
    assert not [each for each in render(VALUES["observed"]) if each["kind"] == "ServiceMonitor"]
    service = find(render(VALUES["observed"]), "Service", "-operator")
    # Not every helm can be told what a cluster knows: the chart is told that it knows something else, the Deployments.
    chart, values = tmp_path / "gptbot", tmp_path / "values.yaml"
    shutil.copytree(CHART, chart)
    file = chart / "templates" / "operator" / "servicemonitor.yaml"
    asked = 'APIVersions.Has "monitoring.coreos.com/v1"'
    assert asked in file.read_text()
    file.write_text(file.read_text().replace(asked, 'APIVersions.Has "apps/v1"'))
    values.write_text(yaml.safe_dump(VALUES["observed"]))
    known = helm("template", "demo", chart, "--namespace", "bots", "--values", values)
    [monitor] = [each for each in yaml.safe_load_all(known.stdout) if each and each["kind"] == "ServiceMonitor"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]


def known_metrics() -> set[str]:
    """Names of all series of bot and operator."""
    known = {
        family.name
        for module in (metrics, llm_metrics, operator_metrics)
        for metric in vars(module).values()
        if isinstance(metric, Counter | Gauge | Histogram)
        for family in metric.describe()
    }
    return {name + ending for name in known for ending in ("", "_total", "_bucket", "_sum", "_count")}


def test_every_metric_of_the_dashboards_exists() -> None:
    names = known_metrics()
    for name, text in find(render(VALUES["observed"]), "ConfigMap", "-dashboards")["data"].items():
        dashboard = json.loads(text)
        used = set(re.findall(r"gptbot_[a-z_]+", json.dumps(dashboard["panels"])))
        assert len(used) > 10, name
        assert used <= names, used - names


def test_the_test_of_the_release_talks_to_its_own_store_and_model() -> None:
    def environment(values: Manifest) -> dict[str, Any]:
        [container] = find(render(values), "Pod", "-test")["spec"]["containers"]
        return {variable["name"]: variable for variable in container.get("env", [])}

    assert set(environment({})) == {"GPTBOT_STORE_URL"}
    assert set(environment(VALUES["all-on"])) == {"GPTBOT_STORE_URL", "GPTBOT_MODEL_URL"}
    assert environment(VALUES["no-store"]) == {}


def test_the_test_of_the_release_says_something_or_fails(tmp_path: Path) -> None:
    [container] = find(render(VALUES["no-store"]), "Pod", "-test")["spec"]["containers"]
    script = container["args"][0].replace("/tmp/", f"{tmp_path}/")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def talk(**more: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": path, "HOME": str(tmp_path)} | more
        command = [*container["command"], script]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)

    answered = talk()
    assert (answered.returncode, bool(answered.stdout.strip())) == (0, True), answered.stderr
    silent = talk(GPTBOT_MODEL_URL="http://127.0.0.1:1/v1")
    assert (silent.returncode, "2 of the questions got no answer" in silent.stderr) == (1, True), silent.stderr
    # A store that is away is waited for; an address that is none is not.
    failed = talk(GPTBOT_STORE_URL="http://127.0.0.1:1/0")
    assert failed.returncode != 0
    assert "store" in failed.stderr


def test_defaults_and_their_keys_reach_the_operator(tmp_path: Path) -> None:
    objects = render(VALUES["defaults"])
    file = tmp_path / "defaults.yaml"
    file.write_text(find(objects, "ConfigMap", "-defaults")["data"]["defaults.yaml"])
    settings = Settings.from_environment({"GPTBOT_IMAGE": "x", "GPTBOT_DEFAULTS": str(file)})
    assert settings.defaults == parse_defaults(VALUES["defaults"]["defaults"] | {"gateway": {"resources": {}}})

    pod = find(objects, "Deployment", "-operator")["spec"]["template"]["spec"]
    directory = _environment(objects)["GPTBOT_DEFAULT_KEYS"]["value"]
    mounts = {each["mountPath"]: each["name"] for each in pod["containers"][0]["volumeMounts"]}
    secrets = {each["name"]: each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
    assert sorted(secrets.values()) == ["openai", "other.keys"]
    assert all(secrets[mounts[f"{directory}/{name}"]] == name for name in secrets.values())


def test_other_defaults_roll_the_operator() -> None:
    hashes = {
        json.dumps(find(render(VALUES[name]), "Deployment", "-operator")["spec"]["template"]["metadata"]["annotations"])
        for name in ("default", "defaults")
    }
    assert len(hashes) == 2


def test_templates_in_further_objects_are_filled_in() -> None:
    names = [each["metadata"]["name"] for each in render(VALUES["extra-objects"]) if each["kind"] == "ConfigMap"]
    assert {"demo-notes", "demo-gptbot-more"} <= set(names)


def test_an_example_bot_may_name_an_endpoint_instead() -> None:
    llm = {"embedded": None, "baseUrl": "http://ollama:11434/v1", "model": "llama3.2"}
    bot = parse(find(render({"exampleBot": {"enabled": True, "spec": {"llm": llm}}}), "GptBot"))
    assert bot.spec.llm.base_url == "http://ollama:11434/v1"


def test_the_crd_is_the_api_s() -> None:
    assert (CHART / "crds" / "gptbots.gptbot.dev.yaml").read_text() == render_crd()


def test_the_schema_knows_every_value() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    def known(value: Any, node: Manifest, path: str) -> None:
        node = schema["definitions"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
        if node.get("additionalProperties") is False and value:  # an empty one is for the user to fill
            for key, child in value.items():
                if path in ("/exampleBot", "") and key in ("spec", "defaults"):
                    continue  # a GptBot's, of which they say the least
                known(child, node["properties"][key], f"{path}/{key}")
            assert value.keys() == node["properties"].keys() - {"global", "claims"}, path

    known(yaml.safe_load((CHART / "values.yaml").read_text()), schema, "")


def test_the_schema_refuses_what_it_does_not_know_everywhere() -> None:
    def closed(node: Any, path: str) -> None:
        if isinstance(node, list):
            for index, child in enumerate(node):
                closed(child, f"{path}/{index}")
        elif isinstance(node, dict):
            if isinstance(node.get("properties"), dict) and "type" in node:
                assert "additionalProperties" in node, path
            for key, child in node.items():
                closed(child, f"{path}/{key}")

    closed(json.loads((CHART / "values.schema.json").read_text()), "")


def _environment(objects: list[Manifest]) -> dict[str, Manifest]:
    container = find(objects, "Deployment", "-operator")["spec"]["template"]["spec"]["containers"][0]
    return {variable.pop("name"): variable for variable in container["env"]}
