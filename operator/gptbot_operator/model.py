"""The condition ModelReachable: what the last requests and probes of the bot's pods came to."""

from __future__ import annotations

from dataclasses import replace

from gptbot_api import GptBot
from gptbot_operator.outcomes import GOOD, OK, REACHABLE
from gptbot_operator.verdict import Seen, Verdict

_SAYS: dict[str, tuple[str, str]] = {
    "unauthorized": ("KeyRefused", "the API refuses the key: check the one in the Secret, and what it may be used for"),
    "quota": ("QuotaSpent", "the account is out of money or of its quota: raise it, or wait for the next period"),
    "not_found": ("ModelNotFound", "the API has no such model, or there is none at baseUrl: check model and baseUrl"),
    "unreachable": ("Unreachable", "no connection: check baseUrl, and that the pods may reach it"),
    "timeout": ("TooSlow", "no answer in time: raise llm.timeoutSeconds or llm.stallSeconds, or use a faster model"),
    "overloaded": ("Overloaded", "the API limits requests or has trouble of its own: wait, or add llm.fallbacks"),
    "bad_stream": ("StreamBroken", "answers break off before their end: look for a proxy that buffers or cuts them"),
    "bad_request": ("RequestRefused", "the API does not take the request: check llm.parameters"),
}
"""Outcome, as the bot's pods write it, to reason and words."""


def model_reachable(bot: GptBot, seen: Seen) -> Verdict:
    """Whether an endpoint answered when it was asked, or probed, last."""
    if bot.spec.suspend:
        return Verdict("Unknown", "Suspended", "the bot is suspended")
    if bot.spec.llm.embedded is not None and bot.spec.llm.embedded.file is not None:
        text = "spec.llm.embedded.file is for gptbot run: on a cluster serve the file with `gptbot model --file`, and"
        return Verdict("False", "FileNotHere", f"{text} name its address in spec.llm.baseUrl")
    if bot.spec.llm.embedded is not None and seen.settings.model_url is None:
        text = "spec.llm.embedded needs the chart's embedded model, which is not installed: set GPTBOT_MODEL_URL at the"
        return Verdict(
            "False", "NoEmbeddedModel", f"{text} operator (chart value model.enabled), or use spec.llm.baseUrl"
        )
    if seen.store is None or not seen.store.reachable:
        return Verdict("Unknown", "StoreUnreachable", "what requests came to is in the store, which cannot be read")
    paths = ["spec.llm", *(f"spec.llm.fallbacks[{index}]" for index in range(len(bot.spec.llm.fallbacks)))]
    outcomes = {path: outcome for path in paths if (outcome := seen.store.model.get(path))}
    first = outcomes.pop("spec.llm", None)
    if first in GOOD:
        return _with(_good(first), seen.store.left_out.get("spec.llm", ()))
    troubles = [f"spec.llm: {_say(first)[1]}"] if first else []
    troubles += [f"{path}: {_say(outcome)[1]}" for path, outcome in outcomes.items() if outcome not in GOOD]
    if OK in outcomes.values():
        return Verdict("True", "FallbackAnswers", "; ".join(troubles))
    if first is None:
        return Verdict("Unknown", "NotAskedYet", "no pod has asked the model yet, or looked whether it is there")
    if any(outcome in GOOD for outcome in outcomes.values()):
        return Verdict("True", "FallbackReachable", "; ".join(troubles))
    return Verdict("False", _say(first)[0], "; ".join(troubles))


def _with(verdict: Verdict, left_out: tuple[str, ...]) -> Verdict:
    """The verdict, with what the API did not take."""
    told = [name for name in left_out if name != "stream_options"]
    if not told:
        return verdict
    text = f"the API does not take {', '.join(told)}: left out of requests; take it out of llm.parameters"
    return replace(verdict, message="; ".join(filter(None, [verdict.message, text])))


def _good(outcome: str) -> Verdict:
    if outcome == OK:
        return Verdict("True", "Answering")
    if outcome == REACHABLE:
        return Verdict("True", "NotAskedYet", "the API is there; no question has been asked of late")
    return Verdict("True", "Recovered", "the API is there again; no question has been asked since the last one failed")


def _say(outcome: str) -> tuple[str, str]:
    return _SAYS.get(outcome, ("RequestsFail", "requests fail: the log of the pods says why"))
