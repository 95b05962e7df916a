"""Files that are not what they should be."""

from __future__ import annotations


class Unusable(ValueError):
    """Base of all. No text of these holds anything of the file."""


class NotAnImage(Unusable):
    """No image in a format that models take, or a broken one."""


class NotText(Unusable):
    """Not a text in any known encoding, or no text at all."""
