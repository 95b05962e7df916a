"""Which Secrets and ConfigMaps a bot refers to."""

from __future__ import annotations

from gptbot_api.references import references
from tests.unit.bots import OPENAI, bot


def found(name: str, **changes: object) -> set[tuple[str, str, str, str]]:
    return {(r.kind, r.name, r.key, r.path) for r in references(bot(name, **changes))}


def test_all_of_them_are_found_also_in_platforms_of_packages() -> None:
    assert found("all-platforms") == {
        ("Secret", "keys", "telegram", "spec.platforms.telegram.tokenSecretRef"),
        ("Secret", "keys", "discord", "spec.platforms.discord.tokenSecretRef"),
        ("Secret", "irc", "password", "spec.platforms.extra.irc.passwordSecretRef"),
        ("Secret", "keys", "openai", "spec.llm.apiKeySecretRef"),
        ("ConfigMap", "prompts", "translator", "spec.personas[1].promptFrom.configMapKeyRef"),
    }
    assert ("Secret", "store", "url", "spec.store.urlSecretRef") in found("external-store")
    moderation = {"baseUrl": "https://api.example/v1", "apiKeySecretRef": {"name": "keys", "key": "moderation"}}
    assert ("Secret", "keys", "moderation", "spec.safety.moderation.apiKeySecretRef") in found(
        "suspend", safety={"moderation": moderation}
    )
    transcription = {"baseUrl": "https://api.example/v1", "model": "m", "apiKeySecretRef": {"name": "keys", "key": "w"}}
    assert ("Secret", "keys", "w", "spec.llm.transcription.apiKeySecretRef") in found(
        "suspend", llm=OPENAI | {"transcription": transcription}
    )
    assert ("Secret", "hooks", "telegram", "spec.platforms.telegram.webhook.secretRef") in found("telegram-webhook")


def test_what_only_looks_like_one_is_none() -> None:
    platforms = {"extra": {"irc": {"secretRef": "x", "authSecretRef": {"name": "../../etc", "key": "passwd"}}}}
    assert found("suspend", platforms=platforms) == {("Secret", "keys", "openai", "spec.llm.apiKeySecretRef")}


def test_a_pod_templates_references_are_kubernetes_business() -> None:
    template = {
        "spec": {"containers": [{"name": "a", "env": [{"valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]}]}
    }
    assert found("suspend", podTemplate=template) == found("suspend")


def test_what_the_page_asks_with_is_found() -> None:
    def of(access: dict[str, object]) -> set[tuple[str, str, str, str]]:
        return found("suspend", platforms={"web": {"access": access}}, llm={"embedded": {}})

    key, path = {"name": "page", "key": "k"}, "spec.platforms.web.access"
    assert of({"mode": "password", "passwordSecretRef": key}) == {("Secret", "page", "k", f"{path}.passwordSecretRef")}
    oidc = {"issuer": "https://id.example.com", "clientId": "c", "clientSecretRef": key}
    assert of({"mode": "oidc", "oidc": oidc}) == {("Secret", "page", "k", f"{path}.oidc.clientSecretRef")}
    for name in ("publicKeySecretRef", "secretRef"):
        token = {"issuer": "shop", "audience": "bot", name: key}
        assert of({"mode": "token", "token": token}) == {("Secret", "page", "k", f"{path}.token.{name}")}
