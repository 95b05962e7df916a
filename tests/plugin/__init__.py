"""`kubectl gptbot` without a cluster: what it makes of objects, logs and answers."""
