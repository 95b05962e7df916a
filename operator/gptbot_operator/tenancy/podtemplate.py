"""What a pod template may hold: where pods run, what they use, and security contexts no weaker than `restricted`.

Source: Pod Security Standards, https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from gptbot_api import Fault
from gptbot_api.workload import PodTemplate
from gptbot_operator.tenancy.allowed import Tenancy

CONTAINER = "gptbot"
PLACING = (
    "affinity", "nodeSelector", "priorityClassName", "tolerations", "topologySpreadConstraints",
)  # fmt: skip
POD_FIELDS = (*PLACING, "containers", "securityContext")
CONTAINER_FIELDS = ("name", "resources", "securityContext")
RESOURCE_FIELDS = ("limits", "requests")
CONTEXT_FIELDS = (
    "allowPrivilegeEscalation", "appArmorProfile", "capabilities", "fsGroup", "fsGroupChangePolicy", "privileged",
    "procMount", "readOnlyRootFilesystem", "runAsGroup", "runAsNonRoot", "runAsUser", "seLinuxOptions",
    "seccompProfile", "supplementalGroups", "supplementalGroupsPolicy",
)  # fmt: skip
PROFILES = ("RuntimeDefault", "Localhost")
SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SHOWN = 100
"""Characters of a name that somebody made up."""


def template_faults(template: PodTemplate, path: str, tenancy: Tenancy) -> Iterator[Fault]:
    """What is not allowed of a pod template, which is merged into one that keeps the standard."""
    metadata = template.metadata
    for name, keys, allowed in (
        ("labels", metadata.labels, tenancy.labels),
        ("annotations", metadata.annotations, tenancy.annotations),
    ):
        yield from key_faults(keys, allowed, f"{path}.metadata.{name}", f"operator.allowed{name.capitalize()}")
    spec: dict[str, Any] = template.spec.model_extra or {}
    yield from _unknown(spec, POD_FIELDS, f"{path}.spec")
    name = spec.get("priorityClassName")
    if isinstance(name, str) and name.startswith("system-"):
        yield Fault(f"{path}.spec.priorityClassName", "classes of the system are not for bots: use another")
    if "securityContext" in spec:
        yield from _context(spec["securityContext"], f"{path}.spec.securityContext")
    if "containers" in spec:
        yield from _containers(spec["containers"], f"{path}.spec.containers")


def key_faults(keys: Any, allowed: tuple[str, ...], path: str, value: str) -> Iterator[Fault]:
    """Which keys (of labels, annotations) are not among the allowed ones. `value`: where those are said."""
    for key in keys:
        if not any(key.startswith(each[:-1]) if each.endswith("*") else key == each for each in allowed):
            yield Fault(f"{path}[{key[:_SHOWN]}]", f"is not one of {value} ({_shown(allowed)}): leave it out")


def _containers(containers: Any, path: str) -> Iterator[Fault]:
    if not isinstance(containers, list):
        yield Fault(path, f"must be a list of what to change in the container {CONTAINER}")
        return
    for index, container in enumerate(cast("list[Any]", containers)):
        at = f"{path}[{index}]"
        if not isinstance(container, dict) or cast("dict[str, Any]", container).get("name") != CONTAINER:
            yield Fault(at, f"is no change of the container {CONTAINER}: pods have no other")
            continue
        fields = cast("dict[str, Any]", container)
        yield from _unknown(fields, CONTAINER_FIELDS, at)
        if "resources" in fields:
            yield from _unknown(fields["resources"], RESOURCE_FIELDS, f"{at}.resources")
        if "securityContext" in fields:
            yield from _context(fields["securityContext"], f"{at}.securityContext")


def _context(context: Any, path: str) -> Iterator[Fault]:
    yield from _unknown(context, CONTEXT_FIELDS, path)
    if not isinstance(context, dict):
        return
    for name, value in cast("dict[str, Any]", context).items():
        needed = _NEEDED.get(name)
        if value is None:
            yield Fault(f"{path}.{name[:_SHOWN]}", "must not be taken away")
        elif needed is not None and not needed[0](value):
            yield Fault(f"{path}.{name}", f"{needed[1]}, as the restricted Pod Security Standard says")


def _unknown(node: Any, known: tuple[str, ...], path: str) -> Iterator[Fault]:
    if not isinstance(node, dict):
        yield Fault(path, f"must be an object of {_shown(known)}")
        return
    for name in cast("dict[str, Any]", node):
        if name not in known:
            yield Fault(f"{path}.{name[:_SHOWN]}", f"is not one of the fields that may be set ({_shown(known)})")


def _shown(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "which is empty"


def _profile(value: Any) -> bool:
    return isinstance(value, dict) and cast("dict[str, Any]", value).get("type") in PROFILES


def _capabilities(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    fields = cast("dict[str, Any]", value)
    added, dropped = fields.get("add", []), fields.get("drop", ["ALL"])
    return (
        fields.keys() <= {"add", "drop"}
        and isinstance(added, list)
        and all(name == "NET_BIND_SERVICE" for name in cast("list[Any]", added))
        and isinstance(dropped, list)
        and "ALL" in dropped
    )


def _selinux(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    fields = cast("dict[str, Any]", value)
    return fields.keys() <= {"type", "level"} and fields.get("type", "") in SELINUX_TYPES


def _user(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


_NEEDED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "allowPrivilegeEscalation": (lambda value: value is False, "must be false"),
    "privileged": (lambda value: value is False, "must be false"),
    "runAsNonRoot": (lambda value: value is True, "must be true"),
    "runAsUser": (_user, "must be above 0"),
    "procMount": (lambda value: value == "Default", "must be Default"),
    "seccompProfile": (_profile, f"needs a type: {' or '.join(PROFILES)}"),
    "appArmorProfile": (_profile, f"needs a type: {' or '.join(PROFILES)}"),
    "capabilities": (_capabilities, "must drop ALL, and add nothing but NET_BIND_SERVICE"),
    "seLinuxOptions": (_selinux, "must have no user and no role, and a type of containers"),
}
