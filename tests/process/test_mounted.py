"""A new pod may find the files of before the change that made it: it waits for those it was made for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from gptbot.mounted import wait_for_files
from gptbot_api import parse
from gptbot_api.mounted import DIGEST_VARIABLE, REVISION_FILE
from gptbot_api.references import references
from gptbot_operator.desired.config import config_map, mounted_digest
from gptbot_operator.desired.context import CONFIG_KEY, Context
from gptbot_operator.settings import Settings
from tests.process.program import PEPPER, Valkey, program, until

SPEC = {
    "platforms": {"web": {}},
    "llm": {"baseUrl": "http://127.0.0.1:9/v1", "model": "first", "apiKeySecretRef": {"name": "keys", "key": "openai"}},
    "gateway": {"concurrency": 0},
}


def mount(directory: Path, key: str, **llm: str) -> str:
    """Write what the kubelet mounts of a bot, and return what the operator tells its pods of it."""
    metadata = {"name": "bot", "namespace": "shop", "uid": "1", "generation": 1}
    spec = {**SPEC, "llm": {**SPEC["llm"], **llm}}  # type: ignore[dict-item]
    bot = parse({"apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": metadata, "spec": spec})
    wanted = tuple(references(bot))
    digests = dict.fromkeys(wanted, hashlib.sha256(key.encode()).hexdigest())
    settings = Settings(image="gptbot:dev", store_url=None)
    secret = directory / "refs" / "secrets" / "keys" / "openai"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text(f"{key}\n")
    for name, text in config_map(bot)["data"].items():
        (directory / name).write_text(text)
    return mounted_digest(bot, Context(settings=settings, pepper=PEPPER, references=wanted, digests=digests))


async def test_a_pod_waits_for_the_files_it_was_made_for(tmp_path: Path, valkey: Valkey) -> None:
    wanted = mount(tmp_path, "key", model="second")
    mount(tmp_path, "key")
    files = ("--manifest", str(tmp_path / CONFIG_KEY), "--refs", str(tmp_path / "refs"))
    async with program("worker", *files, store=valkey.admin, env={DIGEST_VARIABLE: wanted}) as worker:
        await until(lambda: worker.said("the mounted files are not those this pod was made for; waiting for them"))
        assert not worker.said("started")
        mount(tmp_path, "key", model="second")
        await worker.ready()


def test_manifest_and_secrets_make_the_digest(tmp_path: Path) -> None:
    manifest, refs = tmp_path / CONFIG_KEY, tmp_path / "refs"
    wanted = mount(tmp_path, "key")

    def found() -> bool:
        return wait_for_files(manifest, refs, PEPPER, wanted, patience=0)

    assert found()
    mount(tmp_path, "another key")
    assert not found()
    mount(tmp_path, "key", model="second")
    assert not found()
    mount(tmp_path, "key")
    assert found()
    (tmp_path / REVISION_FILE).unlink()
    assert not found()


def test_what_needs_no_new_pods_is_not_waited_for(tmp_path: Path) -> None:
    wanted = mount(tmp_path, "key")
    document = yaml.safe_load((tmp_path / CONFIG_KEY).read_text())
    document["spec"]["limits"] = {"tokensPerDay": 5}
    document["spec"]["workers"] = {"maxReplicas": 50}
    revision = config_map(parse(document))["data"][REVISION_FILE]
    assert revision == (tmp_path / REVISION_FILE).read_text()
    assert wait_for_files(tmp_path / CONFIG_KEY, tmp_path / "refs", PEPPER, wanted, patience=0)
