"""An answer that says no."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer with an error object."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        *,
        detail: Any = None,
    ) -> None:
        """`detail`: FastAPI's body, in place of an error object."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = (
            {"detail": detail}
            if detail
            else {"error": {"message": message, "type": kind, "param": param, "code": code}}
        )
