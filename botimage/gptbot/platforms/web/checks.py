"""What can be wrong with the page's settings and Secrets before anybody opens it."""

from __future__ import annotations

from collections.abc import Iterator

from gptbot.manifest import BotConfig
from gptbot.platforms.web.access.scrypt import HASHED, Hash
from gptbot_api.doubts import Finding
from gptbot_api.web import Web

_PATH = "spec.platforms.web.access"
_SECRET_BYTES = 32
_SHORT = 8


def check(bot: BotConfig, settings: Web) -> Iterator[Finding]:
    """See `platforms.base.Checks`."""
    access = settings.access
    if access.password_secret_ref is not None and (password := bot.peek(access.password_secret_ref)):
        yield from _password(password)
    if access.token is not None and access.token.secret_ref is not None:
        secret = bot.peek(access.token.secret_ref)
        if secret and len(secret.encode()) < _SECRET_BYTES:
            text = f"the secret has fewer than {_SECRET_BYTES} bytes: make one with `openssl rand -hex 32`"
            yield Finding(f"{_PATH}.token.secretRef", text, certain=True)


def _password(password: str) -> Iterator[Finding]:
    path = f"{_PATH}.passwordSecretRef"
    if password.startswith(HASHED):
        try:
            Hash.parse(password)
        except ValueError as error:
            yield Finding(path, f"the password's hash cannot be used: {error}", certain=True)
    elif len(password) < _SHORT:
        yield Finding(
            path, f"the password has fewer than {_SHORT} characters, and may soon be guessed: take a longer one"
        )
