"""What a bot's own Secret holds: made once, then read back, so that the operator keeps nothing."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field

from gptbot_api.store_rights import former_user_name, user_name
from gptbot_api.store_url import StoreUrl
from gptbot_operator.cluster import Document
from gptbot_operator.desired.context import ROTATE_ANNOTATION
from gptbot_operator.desired.secret import MOVING_TO, PEPPER, SHARED, STORE_URL, USED_STORE

_KEYS = (PEPPER, STORE_URL, USED_STORE, MOVING_TO)
_LEAST_PEPPER = 32
"""Characters; a shorter one was not made here."""


@dataclass(slots=True)
class Spare:
    """A pepper that is in no Secret yet. It stays the same until it is stored: what is computed with it does, too."""

    _made: str = field(default="", repr=False)

    def pepper(self) -> str:
        """The pepper, made when it is asked for first."""
        self._made = self._made or secrets.token_urlsafe(_LEAST_PEPPER)
        return self._made

    def drop(self) -> None:
        """It is stored, or another one is."""
        self._made = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The values in the Secret."""

    pepper: str = field(repr=False)
    store_url: str | None = field(default=None, repr=False)
    """Of the shared store; None before the first."""
    rotation: str | None = None
    """The request for another password that was followed last."""
    used: str | None = field(default=None, repr=False)
    """The store that holds what the bot keeps: a URL, or SHARED; None: it keeps nothing yet."""
    moving: str | None = field(default=None, repr=False)
    """The store to which some of that may have gone: a URL, or SHARED; None: it is not being moved."""

    @classmethod
    def of(cls, secret: Document, spare: Spare) -> Credentials:
        """Those in a Secret; where it lacks a pepper, the spare one, which is dropped otherwise."""
        data: dict[str, str] = secret.get("data") or {}
        values = {key: base64.b64decode(data.get(key) or "").decode(errors="replace") for key in _KEYS}
        pepper = values[PEPPER]
        if len(pepper) >= _LEAST_PEPPER:
            spare.drop()
        else:
            pepper = spare.pepper()
        rotation = (secret["metadata"].get("annotations") or {}).get(ROTATE_ANNOTATION)
        used = values[USED_STORE] or (SHARED if values[STORE_URL] else None)
        return cls(pepper, values[STORE_URL] or None, rotation, used, values[MOVING_TO] or None)

    def own_stores(self) -> set[str]:
        """URLs of the stores beside the shared one that hold what the bot keeps."""
        return {store for store in (self.used, self.moving) if store not in (None, SHARED)}

    def password(self, bot: str) -> str | None:
        """Password of the bot's (`namespace/name`) own user of the shared store, if it has one."""
        return self._password_of(user_name(bot))

    def former_password(self, bot: str) -> str | None:
        """Password of its user of an older version, until there is one of this version in the Secret."""
        return self._password_of(former_user_name(bot))

    def _password_of(self, user: str) -> str | None:
        try:
            url = StoreUrl.parse(self.store_url or "")
        except ValueError:
            return None
        return url.password if url.username == user else None


def new_password() -> str:
    """A password for a store: 256 bits."""
    return secrets.token_urlsafe(32)
