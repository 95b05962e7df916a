"""The way from outside to the gateways."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_gptbot.doctor.finding import Finding, ok, unseen, wrong
from kubectl_gptbot.doctor.scene import BotScene, Hidden
from kubectl_gptbot.objects import name


def leads_to_gateways(scene: BotScene) -> Iterator[Finding]:
    """The Service is there where the web page or a webhook is on, and has a gateway behind it."""
    if scene.bot["spec"].get("suspend"):
        return
    if isinstance(scene.services, Hidden):
        yield unseen("Services")
        return
    wanted = f"{scene.name}-web"
    if not any(name(each) == wanted for each in scene.services):
        if serves(scene):
            yield wrong(
                f"there is no Service {wanted}, so nobody reaches the web page or webhook", "see the condition Ready"
            )
        return
    if isinstance(scene.endpoint_slices, Hidden):
        yield unseen(f"the endpoints of the Service {wanted}")
        return
    behind = [
        address
        for each in scene.endpoint_slices
        for endpoint in each.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready")
        for address in endpoint["addresses"]
    ]
    if behind:
        yield ok(f"Service {wanted} leads to {len(behind)} gateways")
    else:
        yield wrong(f"Service {wanted} has no gateway behind it that is ready", "see the pods of the gateway above")


def serves(scene: BotScene) -> bool:
    """Whether the gateways answer HTTP."""
    platforms = scene.spec.get("platforms") or {}
    web = platforms.get("web")
    webhook = (platforms.get("telegram") or {}).get("mode") == "webhook"
    return (web is not None and web.get("enabled", True)) or webhook or bool(platforms.get("extra"))
