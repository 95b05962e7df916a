"""What the children of a bot are to look like: one file a child.

Pure functions, a bot and a context in, a manifest out; `children.py` has them all.
"""
