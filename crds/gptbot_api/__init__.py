"""The GptBot API, `gptbot.dev/v1alpha1`: the only thing the bot and the operator share.

Read `spec.py` for the resource, `validate.py` for how a document becomes one, `crd.py` for the CRD made of it.
"""

from gptbot_api.spec import GptBot, GptBotSpec, ObjectMeta
from gptbot_api.validate import Fault, InvalidManifest, parse

API_GROUP = "gptbot.dev"
API_VERSION = "gptbot.dev/v1alpha1"
KIND = "GptBot"

__all__ = [
    "API_GROUP",
    "API_VERSION",
    "KIND",
    "Fault",
    "GptBot",
    "GptBotSpec",
    "InvalidManifest",
    "ObjectMeta",
    "parse",
]
