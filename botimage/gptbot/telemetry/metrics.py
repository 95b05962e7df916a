"""The metrics of a process, as Prometheus reads them. Labels name bots, platforms and outcomes, never people."""

from __future__ import annotations

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

REGISTRY_OF_PROCESS = REGISTRY
_SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)

MESSAGES_RECEIVED = Counter(
    "gptbot_messages_received_total", "Messages that platforms delivered, by what became of them.",
    ["bot", "platform", "outcome"],
)  # fmt: skip
MESSAGES_LIMITED = Counter(
    "gptbot_messages_limited_total", "Messages that came over a limit, by the limit.", ["bot", "platform", "limit"]
)
TURNS = Counter("gptbot_turns_total", "Turns ended, by outcome.", ["bot", "platform", "outcome"])
TURN_SECONDS = Histogram(
    "gptbot_turn_seconds", "Seconds from the enqueueing of a message to its whole answer.", ["bot", "platform"],
    buckets=_SECONDS,
)  # fmt: skip
TURNS_IN_FLIGHT = Gauge("gptbot_turns_in_flight", "Turns this process is making.", ["bot"])
COMMANDS = Counter("gptbot_commands_total", "Commands run.", ["bot", "platform", "command"])
MODERATIONS = Counter(
    "gptbot_moderations_total", "Texts that the moderation endpoint looked at, or should have, by what came of it.",
    ["bot", "side", "outcome"],
)  # fmt: skip
FOLDS = Counter(
    "gptbot_folds_total", "Conversations whose oldest messages were to become a summary, by what came of it.",
    ["bot", "outcome"],
)  # fmt: skip
BUDGET_USED = Gauge(
    "gptbot_budget_used_ratio",
    "Part of a budget of the day (tokens, cost) that the bot has used, as far as this process knows.",
    ["bot", "budget"],
)
UNREADABLE = Counter(
    "gptbot_unreadable_values_total", "Values of the store that could not be read, by the kind of their key.",
    ["bot", "kind"],
)  # fmt: skip
PLATFORM_CONNECTED = Gauge(
    "gptbot_platform_connected", "1 while this gateway receives from the platform.", ["bot", "platform"]
)
STORE_UP = Gauge("gptbot_store_up", "1 while the store answers.")
STORE_FULL = Gauge("gptbot_store_full", "1 while the store refuses to take anything because its memory is full.")
LOOP_STALL_SECONDS = Histogram(
    "gptbot_loop_stall_seconds", "Seconds for which the event loop stood still, of stalls of more than 0.2 s.",
    buckets=(0.25, 0.5, 1, 2, 5, 15, 60),
)  # fmt: skip


def render() -> bytes:
    """All metrics of the process in the text format."""
    return generate_latest(REGISTRY_OF_PROCESS)
