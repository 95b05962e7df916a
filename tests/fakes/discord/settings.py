"""What can be set about the server, with Discord's own figures as defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Settings:
    rate_limits: bool = True
    """Whether buckets and the global limit are in force."""
    bucket_seconds: float | None = None
    """Length of every bucket's window. None: as Discord has it."""
    heartbeat_interval_ms: int = 41_250
    identify_window: float = 5.0
    """Seconds in which one shard of each of `max_concurrency` groups may IDENTIFY."""
    max_concurrency: int = 1
    shards: int = 1
    """Shards that `/gateway/bot` recommends, and the least the gateway takes."""
    budget_reset_after_ms: int = 86_400_000
    session_lifetime: float = 120.0
    """Seconds that a session without a connection can be resumed."""
    interaction_deadline: float = 3.0
    interaction_lifetime: float = 900.0
    gateway_url: str | None = None
    """What `/gateway/bot` names. None: this server, as the caller called it."""
    resume_url: str | None = None
    """What READY names for a RESUME. None: this server too."""
