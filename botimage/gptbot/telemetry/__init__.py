"""What operators see: JSON logs, Prometheus metrics and health endpoints. No texts, ids or secrets in any of them."""
