"""The model client against a scripted API, over the wire: every way an answer can come, and every way it can fail."""
