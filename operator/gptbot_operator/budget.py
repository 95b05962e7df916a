"""The condition BudgetAvailable: what part of the budgets of `spec.limits` the bot has used today."""

from __future__ import annotations

from gptbot_api import GptBot
from gptbot_operator.verdict import Seen, Verdict

WARN_AT = 0.8
"""Part of a budget from which on it is nearly spent; the bot's pods warn from there too."""


def budget_available(bot: GptBot, seen: Seen) -> Verdict:
    """Whether anything is left of today's budgets. The words change with the verdict alone, not with each answer."""
    limits = bot.spec.limits
    if bot.spec.suspend:
        return Verdict("Unknown", "Suspended", "the bot is suspended")
    budgets = {"tokensPerDay": float(limits.tokens_per_day), "costPerDay": limits.cost_per_day * 1_000_000}
    if not any(budgets.values()):
        return Verdict("True", "NoBudget", "neither limits.tokensPerDay nor limits.costPerDay is set")
    if seen.store is None or not seen.store.reachable:
        return Verdict("Unknown", "StoreUnreachable", "what was used is in the store, which cannot be read")
    used = {"tokensPerDay": seen.store.tokens, "costPerDay": seen.store.cost}
    parts = {name: used[name] / most for name, most in budgets.items() if most}
    spent = [f"limits.{name}" for name, part in parts.items() if part >= 1]
    if spent:
        text = f"nothing is left today of {' and '.join(spent)}: people are told to come back after midnight (UTC)"
        return Verdict("False", "BudgetSpent", text)
    nearly = [f"limits.{name}" for name, part in parts.items() if part >= WARN_AT]
    if nearly:
        return Verdict("True", "NearlySpent", f"{WARN_AT:.0%} of {' and '.join(nearly)} are used today")
    return Verdict("True", "WithinBudget")
