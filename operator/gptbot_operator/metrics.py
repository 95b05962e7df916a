"""The operator's own metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Counter("gptbot_operator_reconciles", "Looks at a bot, by how they ended.", ["result"])
SECONDS = Histogram("gptbot_operator_reconcile_seconds", "Duration of a look at a bot.")
QUEUED = Gauge("gptbot_operator_queue_length", "Bots waiting for a look.")
BOTS = Gauge("gptbot_operator_bots", "Bots known.")
LEADER = Gauge("gptbot_operator_leader", "1 while this operator works; of several the others stand by.")
ELSEWHERE = Gauge("gptbot_operator_bots_served_by_another", "Bots left to another installation that serves them.")
EVENTS = Counter("gptbot_operator_watch_events", "Watch events, by kind.", ["kind"])
REQUESTS = Counter("gptbot_operator_api_requests", "Requests to the API server but watches, by method.", ["method"])
PURGED = Counter("gptbot_operator_purged_keys", "Keys of deleted bots erased from their stores.")
ROLLOUT = Gauge("gptbot_operator_rollout_bots", "Bots by how far the rollout of the newest pods is.", ["state"])
ROLLOUT_STOPPED = Gauge("gptbot_operator_rollout_stopped", "1 while bots wait because new pods of others fail.")
