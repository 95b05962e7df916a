"""What a CRD lacks that another one has, and what is then done."""
# ruff: noqa: E501 - tables

from __future__ import annotations

import copy
from typing import Any

import pytest

from gptbot_api.crd import REVISION_ANNOTATION, custom_resource_definition
from gptbot_operator.crd import judge, revision
from gptbot_operator.crd_fields import Loss, field_at, lost, unserved, with_users, without_defaults

OURS = custom_resource_definition()


def there(number: int | None = None, /, **fields: Any) -> dict[str, Any]:
    """The CRD of a cluster: ours with further fields of the spec (`llm_future`: of `spec.llm`), of some revision."""
    made = copy.deepcopy(OURS)
    [version] = made["spec"]["versions"]
    for path, schema in fields.items():
        node = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        *parents, name = path.split("_")
        for parent in parents:
            node = node["properties"][parent] if parent != "items" else node["items"]
        node.setdefault("properties", {})[name] = schema
    made["metadata"]["annotations"] = {} if number is None else {REVISION_ANNOTATION: str(number)}
    made["status"] = {"storedVersions": ["v1alpha1"]}
    return made


def bot(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop", "name": name}, "spec": spec}


def test_nothing_is_lost_between_the_same() -> None:
    assert lost(OURS, OURS) == []
    assert revision(OURS) > 0


@pytest.mark.parametrize(
    ("field", "schema", "spec", "path", "used"),
    [
        ("future", {"type": "string"}, {"future": "x"}, "spec.future", True),
        ("future", {"type": "string"}, {}, "spec.future", False),
        ("workers_pace", {"type": "string", "default": "slow"}, {"workers": {"pace": "slow"}}, "spec.workers.pace", False),
        ("workers_pace", {"type": "string", "default": "slow"}, {"workers": {"pace": "fast"}}, "spec.workers.pace", True),
        ("personas_items_voice", {"type": "string"}, {"personas": [{}, {"voice": "low"}]}, "spec.personas[].voice", True),
        ("llm_tools", {"type": "object"}, {"llm": {"tools": {}}}, "spec.llm.tools", True),
        (
            "tools",
            {"type": "object", "default": {}, "properties": {"most": {"type": "integer", "default": 3}}},
            {"tools": {"most": 3}}, "spec.tools", False,
        ),
        (
            "tools",
            {"type": "object", "default": {}, "properties": {"most": {"type": "integer", "default": 3}}},
            {"tools": {"most": 4}}, "spec.tools", True,
        ),
    ],
)  # fmt: skip
def test_a_field_that_would_be_lost_and_who_uses_it(
    field: str, schema: dict[str, Any], spec: dict[str, Any], path: str, *, used: bool
) -> None:
    [loss] = with_users(lost(there(**{field: schema}), OURS), [bot("a", **spec), bot("b", platforms={})])
    assert str(loss) == f"{path} (used by {'shop/a' if used else 'nobody'})"
    assert lost(OURS, there(**{field: schema})) == [], "a new field loses nothing"


def spec_of(definition: dict[str, Any]) -> dict[str, Any]:
    return definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


MOST = {"type": "object", "default": {}, "properties": {"most": {"type": "integer", "default": 3}}}
VOICE = {"type": "string", "default": "low"}


@pytest.mark.parametrize(
    ("fields", "spec", "kept", "left_out"),
    [
        ({"workers_pace": VOICE}, {"workers": {"pace": "low", "maxReplicas": 2}}, {"workers": {"maxReplicas": 2}}, {"spec.workers.pace"}),
        ({"workers_pace": VOICE}, {"workers": {"pace": "high"}}, {"workers": {"pace": "high"}}, set()),
        ({"tools": MOST}, {"tools": {"most": 3}, "suspend": True}, {"suspend": True}, {"spec.tools"}),
        ({"tools": MOST}, {"tools": {"most": 4}}, {"tools": {"most": 4}}, set()),
        ({"future": {"type": "string"}}, {"future": "x"}, {"future": "x"}, set()),
        (
            {"personas_items_voice": VOICE}, {"personas": [{"name": "a", "voice": "low"}, {"name": "b", "voice": "high"}]},
            {"personas": [{"name": "a"}, {"name": "b", "voice": "high"}]}, {"spec.personas[].voice"},
        ),
        ({"podTemplate_spec_future": VOICE}, {"podTemplate": {"spec": {"future": "low"}}}, {"podTemplate": {"spec": {"future": "low"}}}, set()),
        ({}, {"suspend": False, "nonsense": 1, "platforms": {"extra": {"irc": {"a": [1]}}}}, {"suspend": False, "nonsense": 1, "platforms": {"extra": {"irc": {"a": [1]}}}}, set()),
    ],
)  # fmt: skip
def test_a_newer_default_is_left_out_and_what_is_said_is_kept(
    fields: dict[str, Any], spec: dict[str, Any], kept: dict[str, Any], left_out: set[str]
) -> None:
    before = copy.deepcopy(spec)
    assert without_defaults(spec, spec_of(there(**fields)), spec_of(OURS)) == (kept, left_out)
    assert spec == before


def test_a_field_is_found_by_the_path_that_a_fault_has() -> None:
    schema = spec_of(there(llm_fallbacks_items_voice=VOICE))
    assert field_at(schema, "spec.llm.fallbacks[12].voice") == VOICE
    assert field_at(schema, "spec.workers.requests.cpu") is None
    assert (field_at(schema, "spec.suspend") or {})["type"] == "boolean"
    assert field_at(schema, "spec.llm.nothing[3].more") is None
    assert field_at({}, "spec.llm") is None


def test_what_others_define_is_kept_and_another_type_is_not() -> None:
    assert lost(there(podTemplate_spec_future={"type": "string"}), OURS) == [], "it takes any field"
    changed = lost(there(suspend={"type": "string"}), OURS)
    assert [str(loss) for loss in changed] == ["spec.suspend (used by nobody)"]


def test_many_users_are_counted() -> None:
    loss = Loss(("spec", "x"), {}, tuple(f"shop/{n}" for n in range(5)))
    assert str(loss) == "spec.x (used by shop/0, shop/1, shop/2 and 2 more)"


USED, UNUSED = Loss(("spec", "future"), {}, ("shop/a",)), Loss(("spec", "future"), {})
MINE = revision(OURS)


@pytest.mark.parametrize(
    ("number", "losses", "switch", "applied", "refused", "said"),
    [
        (None, [], "", True, False, f"revision {MINE} is applied"),
        (MINE, [], "", True, False, f"revision {MINE} is applied"),
        (MINE, [UNUSED], "", True, False, "dropped, as nobody uses them: spec.future (used by nobody)"),
        (None, [USED], "", False, True, "would drop fields that are in use: spec.future (used by shop/a)"),
        (None, [USED], "0", True, False, "dropped: spec.future (used by shop/a)"),
        (MINE + 1, [], "", False, False, "newer than this operator's"),
        (MINE + 1, [USED], "", False, False, f"which would drop spec.future (used by shop/a), set crd.rollbackFrom={MINE + 1}"),
        (MINE + 1, [USED], str(MINE + 2), False, False, "newer than this operator's"),
        (MINE + 1, [USED], str(MINE + 1), True, False, f"went back from revision {MINE + 1} to {MINE}"),
    ],
)  # fmt: skip
def test_only_upwards(
    number: int | None, losses: list[Loss], switch: str, said: str, *, applied: bool, refused: bool
) -> None:
    verdict = judge(there(number), OURS, losses, switch)
    assert (verdict.applied, verdict.refused) == (applied, refused)
    assert said in verdict.text


def test_a_version_that_objects_are_stored_in_cannot_go() -> None:
    newer = there(MINE + 1)
    newer["status"]["storedVersions"].append("v1beta1")
    assert unserved(newer, OURS) == ["v1beta1"]
    verdict = judge(newer, OURS, [], str(MINE + 1))
    assert not verdict.applied
    assert "stored in v1beta1" in verdict.text
