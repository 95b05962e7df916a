"""What a platform is (`base.py`), takes in (`inbound.py`), raises and allows; the registry; and one folder for each.

Nothing outside this folder names a platform: the name under `spec.platforms` is the name of an entry point.
"""
