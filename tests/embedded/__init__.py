"""What `gptbot run` brings along, as real processes: Valkey that keeps its data, and the small model."""
