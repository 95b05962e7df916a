"""Examples and documents: what they show works."""
