"""The defaults of this installation as a bot gets them: keys are copied beside the bot, as pods read nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from gptbot_api import GptBot
from gptbot_api.defaults import NO_MODEL, exposed, fill, parse_defaults
from gptbot_api.references import Reference
from gptbot_api.workload import PodTemplate
from gptbot_operator.desired.context import config_name
from gptbot_operator.desired.merge import merge
from gptbot_operator.settings import COPY_PREFIX, Settings

_NO_MODEL = f"{NO_MODEL}; or give all GptBots a default (defaults.llm of the chart)"


def effective(bot: GptBot, settings: Settings) -> GptBot:
    """The bot with the defaults under it, and what its public address brings with it.

    Raises InvalidManifest when there is no model, or they do not fit.
    """
    document = settings.defaults.model_dump(mode="json", by_alias=True, exclude_unset=True)
    defaults = parse_defaults(_beside(document, config_name(bot)))
    filled = exposed(fill(bot, defaults, _NO_MODEL))
    default, own = (
        each.model_dump(mode="json", by_alias=True, exclude_unset=True)
        for each in (defaults.pod_template, bot.spec.pod_template)
    )
    template = PodTemplate.model_validate(merge(default, own, keep_nulls=True), by_alias=True)
    return filled.model_copy(update={"spec": filled.spec.model_copy(update={"pod_template": template})})


def copied(bot: GptBot, wanted: Iterable[Reference], settings: Settings) -> Mapping[Reference, str]:
    """What an effective bot needs of the default Secrets, as it is now; what is not there is left out."""
    found: dict[Reference, str] = {}
    for reference in wanted:
        if (original := original_of(bot, reference)) and (value := _read(settings.default_keys, *original)):
            found[reference] = value
    return found


def original_of(bot: GptBot, reference: Reference) -> tuple[str, str] | None:
    """Name and key of the default Secret that a reference stands for; None: it is the bot's own."""
    if reference.name != config_name(bot) or not reference.key.startswith(COPY_PREFIX):
        return None
    name, _, key = reference.key.removeprefix(COPY_PREFIX).partition("_")  # no name of a Secret holds one
    return name, key


def _read(directory: Path | None, name: str, key: str) -> str:
    if directory is None or name.startswith("."):  # whoever writes a GptBot may have made the key up
        return ""
    try:
        return (directory / name / key).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _beside(node: Any, name: str) -> Any:
    """The defaults with each reference to a Secret pointing at its copy in the bot's own Secret."""
    if isinstance(node, list):
        return [_beside(item, name) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    fields = cast("dict[str, Any]", node)
    return {
        field: {"name": name, "key": f"{COPY_PREFIX}{value['name']}_{value['key']}"}
        if field == "apiKeySecretRef"
        else _beside(value, name)
        for field, value in fields.items()
    }
