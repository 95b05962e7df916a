"""What kind of file an attachment is, by the type and the name that came with it; the name itself is not kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["image", "audio", "text", "other"]

_IMAGES = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp", "gif": "gif"}
_AUDIO = {
    "ogg": "ogg", "oga": "ogg", "opus": "ogg", "mp3": "mpeg", "mpga": "mpeg", "m4a": "mp4", "wav": "wav",
    "flac": "flac",
}  # fmt: skip
"""What transcription endpoints take (OpenAI, "Create transcription")."""
_SAME_AUDIO = {
    "mp3": "mpeg", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "x-flac": "flac", "x-m4a": "mp4", "m4a": "mp4",
    "opus": "ogg",
}  # fmt: skip
_LANGUAGES: Mapping[str, str] = {
    "txt": "plain", "text": "plain", "log": "plain", "md": "markdown", "markdown": "markdown", "rst": "rst",
    "csv": "csv", "tsv": "tsv", "json": "json", "jsonl": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml",
    "ini": "ini", "cfg": "ini", "conf": "ini", "properties": "ini", "env": "ini", "xml": "xml", "svg": "xml",
    "html": "html", "htm": "html", "css": "css", "scss": "scss", "js": "javascript", "mjs": "javascript",
    "jsx": "jsx", "ts": "typescript", "tsx": "tsx", "vue": "vue", "py": "python", "pyi": "python", "ipynb": "json",
    "rb": "ruby", "php": "php", "pl": "perl", "lua": "lua", "r": "r", "jl": "julia", "go": "go", "rs": "rust",
    "c": "c", "h": "c", "cc": "cpp", "cpp": "cpp", "hpp": "cpp", "cs": "csharp", "java": "java", "kt": "kotlin",
    "kts": "kotlin", "scala": "scala", "swift": "swift", "dart": "dart", "hs": "haskell", "ml": "ocaml", "ex": "elixir",
    "exs": "elixir", "erl": "erlang", "clj": "clojure", "sql": "sql", "sh": "bash", "bash": "bash", "zsh": "bash",
    "ps1": "powershell", "bat": "batch", "tf": "hcl", "proto": "protobuf", "graphql": "graphql", "tex": "latex",
    "srt": "plain", "vtt": "plain", "diff": "diff", "patch": "diff", "dockerfile": "dockerfile", "makefile": "makefile",
}  # fmt: skip
"""Endings, and whole names without one, to the names of languages as code fences have them."""
_TEXTUAL = {
    "application/json": "json", "application/xml": "xml", "application/yaml": "yaml", "application/x-yaml": "yaml",
    "application/javascript": "javascript", "application/x-javascript": "javascript", "application/sql": "sql",
    "application/toml": "toml", "application/x-sh": "bash", "application/x-python": "python",
    "application/x-httpd-php": "php", "image/svg+xml": "xml",
}  # fmt: skip


def kind_of(mime: str | None, name: str | None) -> tuple[Kind, str]:
    """Kind and type of a file: `image/…`, `audio/…`, `text/LANGUAGE`, or what it came with.

    `mime`, `name`: as the platform tells them; it has them from whoever sent the file, so the content decides later.
    """
    told = (mime or "").partition(";")[0].strip().lower()
    ending = (name or "").rpartition(".")[2].lower()
    main, _, sub = told.partition("/")
    if told in _TEXTUAL:
        return "text", f"text/{_TEXTUAL[told]}"
    if main == "image":
        return ("image", f"image/{_IMAGES[sub]}") if sub in _IMAGES else ("other", told)
    if main == "audio":
        sub = _SAME_AUDIO.get(sub, sub)
        return ("audio", f"audio/{sub}") if sub in (*_AUDIO.values(), "webm") else ("other", told)
    if ending in _LANGUAGES and main != "video":  # a .ts file is called a video by many
        return "text", f"text/{_LANGUAGES[ending]}"
    if ending == "ts" and told == "video/mp2t":
        return "text", "text/typescript"
    if main == "text":
        return "text", f"text/{sub if sub in _LANGUAGES.values() else 'plain'}"
    if told in ("", "application/octet-stream"):
        if ending in _IMAGES:
            return "image", f"image/{_IMAGES[ending]}"
        if ending in _AUDIO:
            return "audio", f"audio/{_AUDIO[ending]}"
    return "other", told
