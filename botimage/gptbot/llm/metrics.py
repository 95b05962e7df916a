"""What Prometheus is told of the models. Labels are names from the manifest; no ids, no texts."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "gptbot_llm_requests_total",
    "Requests to a model by outcome: ok, cancelled, or the kind of error.",
    ("model", "outcome"),
)
FIRST_TOKEN = Histogram(
    "gptbot_llm_first_token_seconds",
    "From the request to the first text of the answer.",
    ("model",),
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120),
)
DURATION = Histogram(
    "gptbot_llm_request_seconds",
    "From the request to the end of the answer.",
    ("model",),
    buckets=(0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300),
)
TOKENS = Counter(
    "gptbot_llm_tokens_total",
    "Tokens as the API counts them, by direction: prompt or completion.",
    ("model", "direction"),
)
COST = Counter(
    "gptbot_llm_cost_total",
    "What requests cost by spec.llm.prices, in the currency there.",
    ("model", "currency"),
)
RETRIES = Counter(
    "gptbot_llm_retries_total",
    "Requests made again before the first token, by the kind of error.",
    ("model", "reason"),
)
PROBES = Counter(
    "gptbot_llm_probes_total",
    "Probes of endpoints (GET /models) by outcome: ok, there (it answers, and says nothing of the key), or an error.",
    ("outcome",),
)
ENDPOINTS_OPEN = Gauge(
    "gptbot_llm_endpoints_open",
    "Endpoints that failed too often and are left alone for now: their circuit breakers are not closed.",
    ("model",),
)
