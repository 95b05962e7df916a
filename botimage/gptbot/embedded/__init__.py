"""What `gptbot run` brings along: a Valkey and a small model, each in a child process that lives no longer than we do.

Nothing here is imported when the manifest names a store and a model of its own.
"""
