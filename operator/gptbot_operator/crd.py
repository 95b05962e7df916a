"""Brings the cluster's GptBot CRD to the revision this operator was built with: `python -m gptbot_operator.crd`.

Helm installs a CRD and never upgrades it, so the operator's pod runs this before the operator itself. It goes upwards
only: a CRD of a newer revision stays as it is, and so does one that has fields in use which the new one lacks.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from kubernetes import client, config  # pyright: ignore[reportAttributeAccessIssue]
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from gptbot_api.crd import REVISION_ANNOTATION, custom_resource_definition
from gptbot_operator.bounds import read_all_depths
from gptbot_operator.crd_fields import Loss, lost, unserved, with_users

Document = dict[str, Any]

FIELD_MANAGER = "helm"
"""Helm's own: a later `helm install` over a CRD that was left behind is not in conflict with itself."""
TIMEOUT_SECONDS = 30
SWITCH = "GPTBOT_CRD_ROLLBACK_FROM"
"""Environment variable: the revision of the CRD in the cluster that may be gone back from, whatever is lost."""
_PAGE = 100
"""GptBots in one answer to a list."""
_TRIES = 3
_SETTLE_SECONDS = 5.0
"""After a CRD has changed its storage version, until every API server writes in that."""
_CONFLICT, _FORBIDDEN, _GONE = 409, 403, 404


class CrdNotApplied(Exception):
    """The CRD could not be brought up to date. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of the CRD."""

    applied: bool
    text: str
    """What to say of it."""
    refused: bool = False
    """The operator needs another CRD, and must not start without."""


def judge(there: Document, ours: Document, losses: list[Loss], rollback_from: str) -> Verdict:
    """Whether our CRD may take the place of the one there; `losses`: what it lacks, with those who use it."""
    name, mine, other = ours["metadata"]["name"], revision(ours), revision(there)
    dropped = "; ".join(map(str, losses))
    switch = f"set crd.rollbackFrom={other} in the chart ({SWITCH})"
    if versions := unserved(there, ours):
        text = f"CRD {name}: GptBots are stored in {', '.join(versions)}, which this operator's CRD does not know"
        return Verdict(False, f"{text}, so it stays as it is; docs/api-versions.md says how to go back", refused=True)
    if rollback_from == str(other) and (mine < other or losses):
        text = f"CRD {name}: went back from revision {other} to {mine}, as {SWITCH} says"
        return Verdict(True, f"{text}; dropped: {dropped or 'nothing'}")
    if mine < other:
        text = f"CRD {name}: its revision {other} is newer than this operator's {mine}, and stays. To go back to {mine}"
        return Verdict(False, f"{text}, which would drop {dropped or 'nothing'}, {switch}")
    if any(loss.users for loss in losses):
        text = (
            f"CRD {name}: revision {mine} would drop fields that are in use: {dropped}. Take them out of these GptBots"
        )
        return Verdict(False, f"{text}, or {switch}", refused=True)
    text = f"CRD {name}: revision {mine} is applied"
    return Verdict(True, f"{text}; dropped, as nobody uses them: {dropped}" if losses else text)


def revision(definition: Document) -> int:
    """The revision of a CRD; 0: it is from before there were any."""
    text = str((definition["metadata"].get("annotations") or {}).get(REVISION_ANNOTATION, ""))
    return int(text) if text.isdecimal() else 0


def bring_up_to_date(rollback_from: str = "") -> str:
    """Apply the CRD server-side (KEP-555) where that goes upwards, and migrate what is stored in older versions.

    Returns what became of it. Raises CrdNotApplied.
    """
    ours: Document = custom_resource_definition()
    name = str(ours["metadata"]["name"])
    try:
        _connect()
        said = _settled(name, ours, rollback_from)
        migrated = migrate(name)
    except ApiException as error:
        reason = {
            _FORBIDDEN: "this service account may not patch it, or it is not there and may not be created; apply it by"
            " hand (it is in crds/ of the chart) or set crd.upgrade=true in the chart",
            422: "the API server does not accept it; is this Kubernetes older than 1.30?",
        }.get(error.status or 0, f"the API server answered {error.status} {error.reason}")
        raise CrdNotApplied(f"CRD {name}: {reason}") from None
    except (HTTPError, ConfigException) as error:
        raise CrdNotApplied(f"CRD {name}: the API server cannot be reached: {error}") from None
    return f"{said}; {migrated} GptBots were written anew in its storage version" if migrated is not None else said


def migrate(name: str) -> int | None:
    """Have every GptBot stored in the CRD's storage version, and note that no other is left; how many there are.

    None: nothing was to be done. Raises ApiException.
    """
    definition = _plain(
        client.ApiextensionsV1Api().read_custom_resource_definition(name, _request_timeout=TIMEOUT_SECONDS)
    )
    storage = next(each["name"] for each in definition["spec"]["versions"] if each.get("storage"))
    stored: list[str] = (definition.get("status") or {}).get("storedVersions") or []
    if set(stored) <= {storage}:
        return None
    time.sleep(_SETTLE_SECONDS)
    count = 0
    for bot in _bots(storage):
        _write_anew(storage, bot)
        count += 1
    client.ApiextensionsV1Api().patch_custom_resource_definition_status(
        name,
        {
            "metadata": {"resourceVersion": definition["metadata"]["resourceVersion"]},
            "status": {"storedVersions": [storage]},
        },
        _content_type="application/merge-patch+json",
        _request_timeout=TIMEOUT_SECONDS,
    )
    return count


def _settled(name: str, ours: Document, rollback_from: str) -> str:
    """Apply over what others change meanwhile."""
    for _ in range(_TRIES - 1):
        try:
            return _apply(name, ours, rollback_from)
        except ApiException as error:
            if error.status != _CONFLICT:
                raise
    return _apply(name, ours, rollback_from)


def _apply(name: str, ours: Document, rollback_from: str) -> str:
    there = _read(name)
    verdict = Verdict(True, f"CRD {name}: revision {revision(ours)} is applied")
    body = ours
    if there is not None:
        losses = lost(there, ours)
        verdict = judge(there, ours, with_users(losses, _readable_bots(there)) if losses else [], rollback_from)
        body = ours | {"metadata": ours["metadata"] | {"resourceVersion": there["metadata"]["resourceVersion"]}}
    if verdict.refused:
        raise CrdNotApplied(verdict.text)
    if verdict.applied:
        client.ApiextensionsV1Api().patch_custom_resource_definition(
            name,
            body,
            field_manager=FIELD_MANAGER,
            force=True,
            _content_type="application/apply-patch+yaml",
            _request_timeout=TIMEOUT_SECONDS,
        )
    return verdict.text


def _connect() -> None:
    try:
        config.load_incluster_config()
    except ConfigException:
        config.load_kube_config()


def _read(name: str) -> Document | None:
    try:
        return _plain(
            client.ApiextensionsV1Api().read_custom_resource_definition(name, _request_timeout=TIMEOUT_SECONDS)
        )
    except ApiException as error:
        if error.status == _GONE:
            return None
        raise


def _plain(made: Any) -> Document:
    """An object in the API's own names."""
    return cast(Document, client.ApiClient().sanitize_for_serialization(made))


def _readable_bots(there: Document) -> Iterator[Document]:
    """All GptBots. Raises CrdNotApplied where they may not be read: then nobody knows what would be lost."""
    served = next(each["name"] for each in there["spec"]["versions"] if each.get("served"))
    try:
        yield from _bots(served)
    except ApiException as error:
        if error.status != _FORBIDDEN:
            raise
        raise CrdNotApplied(
            f"CRD {there['metadata']['name']}: the new one lacks fields, and this service account may not list GptBots"
            " to see who uses them; apply it by hand, or set crd.upgrade=true in the chart"
        ) from None


def _bots(version: str) -> Iterator[Document]:
    after = ""
    while True:
        api: Any = client.CustomObjectsApi()
        page: Document = api.list_cluster_custom_object(
            "gptbot.dev", version, "gptbots", limit=_PAGE, _continue=after, _request_timeout=TIMEOUT_SECONDS
        )
        yield from page["items"]
        if not (after := page["metadata"].get("continue") or ""):
            return


def _write_anew(version: str, bot: Document) -> None:
    """Write a GptBot without a change: the API server stores it in the storage version."""
    try:
        client.CustomObjectsApi().patch_namespaced_custom_object_status(
            "gptbot.dev", version, bot["metadata"]["namespace"], "gptbots", bot["metadata"]["name"], {},
            _content_type="application/merge-patch+json", _request_timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
    except ApiException as error:
        if error.status != _GONE:
            raise


if __name__ == "__main__":
    read_all_depths()
    try:
        print(bring_up_to_date(os.environ.get(SWITCH, "").strip()))  # noqa: T201
    except CrdNotApplied as fault:
        sys.exit(str(fault))
