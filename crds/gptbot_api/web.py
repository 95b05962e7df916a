"""The web page: who is let in, by which addresses it is reached, how much one address may ask."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gptbot_api.base import ApiModel, Duration, Rule
from gptbot_api.network import Hostname
from gptbot_api.refs import HttpUrl, SecretKeyRef

_Name = Annotated[str, Field(min_length=1, max_length=256)]
_Domain = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]


class Claim(ApiModel):
    """A claim that an ID token must have."""

    name: _Name
    """Name of the claim, such as `groups`."""
    values: Annotated[list[_Name], Field(min_length=1, max_length=64)]
    """One of these it must be, or hold where it is a list."""


class OpenIdConnect(ApiModel):
    """Log in by OpenID Connect: authorization code flow with PKCE."""

    issuer: HttpUrl
    """Issuer identifier, as the provider's `/.well-known/openid-configuration` below it says it."""
    client_id: _Name
    """Id of the client registered there. Its redirect URI is the page's address with `callback` behind it."""
    client_secret_ref: SecretKeyRef | None = None
    """Its secret. Absent: a public client, which PKCE alone protects."""
    redirect_url: HttpUrl | None = None
    """Redirect URI. Absent: made of the address by which the browser came; a proxy that changes the path needs it."""
    scopes: Annotated[list[_Name], Field(max_length=16)] = Field(default_factory=list[str])
    """Scopes to ask for besides `openid` (and `email` where `allowedDomains` is set)."""
    allowed_domains: Annotated[list[_Domain], Field(max_length=64)] = Field(default_factory=list[str])
    """Domains of the verified e-mail addresses that are let in. Empty: every account of the issuer is."""
    claims: Annotated[list[Claim], Field(max_length=16)] = Field(default_factory=list[Claim])
    """What the ID token must say, all of it."""


class HostToken(ApiModel):
    """A signed token (JWT, RFC 7519) that another site gives its users: with `exp`, for an hour at most, and `sub`."""

    issuer: _Name
    """What its `iss` must be."""
    audience: _Name
    """What its `aud` must be or hold."""
    keys_url: HttpUrl | None = None
    """Address of the site's public keys (JWK Set, RFC 7517): RS256, PS256, ES256 or EdDSA."""
    public_key_secret_ref: SecretKeyRef | None = None
    """One public key, PEM or JWK: RS256, PS256, ES256 or EdDSA."""
    secret_ref: SecretKeyRef | None = None
    """A secret that both share, 32 bytes at least: HS256."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.keysUrl), has(self.publicKeySecretRef), has(self.secretRef)].filter(k, k).size() == 1",
            "exactly one of keysUrl, publicKeySecretRef and secretRef must be set",
            lambda t: sum(key is not None for key in (t.keys_url, t.public_key_secret_ref, t.secret_ref)) == 1,
        ),
    )


class WebAccess(ApiModel):
    """Who may use the page."""

    mode: Literal["open", "password", "oidc", "token"]
    """`open`: everybody who reaches it. `password`: who knows one. `oidc`: who logs in by OpenID Connect. `token`: whom
    another site gave a signed token."""
    password_secret_ref: SecretKeyRef | None = None
    """The password, or its hash: `$scrypt$ln=15,r=8,p=1$SALT$HASH`."""
    oidc: OpenIdConnect | None = None
    """Needed with `mode: oidc`."""
    token: HostToken | None = None
    """Needed with `mode: token`."""
    session: Duration = "8h"
    """How long a login holds, 400 days at most. Whoever has an `open` page keeps it as long as the conversation."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(self.mode == 'password') == has(self.passwordSecretRef)",
            "passwordSecretRef goes with mode password, which needs it",
            lambda a: (a.mode == "password") == (a.password_secret_ref is not None),
        ),
        Rule(
            "(self.mode == 'oidc') == has(self.oidc)",
            "oidc goes with mode oidc, which needs it",
            lambda a: (a.mode == "oidc") == (a.oidc is not None),
        ),
        Rule(
            "(self.mode == 'token') == has(self.token)",
            "token goes with mode token, which needs it",
            lambda a: (a.mode == "token") == (a.token is not None),
        ),
    )


class PerAddress(ApiModel):
    """What one address may do in a minute, at each gateway. An IPv6 address counts with the others of its /64."""

    requests: Annotated[int, Field(ge=0, le=1_000_000)] = 300
    """Pages and streams of events asked for. 0: no limit."""
    messages: Annotated[int, Field(ge=0, le=1_000_000)] = 120
    """Messages, in all its sessions together. 0: no limit."""
    sessions: Annotated[int, Field(ge=0, le=1_000_000)] = 60
    """New sessions. 0: no limit."""


class Web(ApiModel):
    """A web page to chat on, served by the gateway."""

    enabled: bool = True
    """Serve the page."""
    title: Annotated[str, Field(max_length=80)] = ""
    """Title of the page. Empty: the bot's name."""
    access: WebAccess = Field(default_factory=lambda: WebAccess(mode="open"))
    """Who may use it."""
    hosts: Annotated[list[Hostname], Field(max_length=64)] = Field(default_factory=list[str])
    """Names of hosts that it answers by, such as `bot.example.com` or `*.example.com`, besides `localhost`. Empty: by
    any, but on a loopback address by that only. With `spec.expose`, its host is one."""
    trusted_proxies: Annotated[int, Field(ge=0, le=8)] | None = None
    """Proxies in front whose `X-Forwarded-For` is believed, counted from the gateway outwards; an address is what the
    outermost of them saw. Absent: 1 with `spec.expose`, else 0."""
    per_address: PerAddress = Field(default_factory=PerAddress)
    """What one address may do."""
