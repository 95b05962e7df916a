"""What a platform is (`base.py`), how installed ones are found (`registry.py`), and one folder for each.

Nothing outside this folder names a platform: the name under `spec.platforms` is the name of an entry point.
"""
