"""A bot's part in the shared store, as one look sees it: its login, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gptbot_api import GptBot
from gptbot_api.store_faults import StoreFault
from gptbot_api.store_rights import user_name
from gptbot_api.store_url import StoreUrl, login_as
from gptbot_operator.cache import Observed
from gptbot_operator.cluster import Document
from gptbot_operator.credentials import Credentials, new_password
from gptbot_operator.desired.context import ROTATE_ANNOTATION
from gptbot_operator.desired.secret import SHARED
from gptbot_operator.settings import Settings
from gptbot_operator.store import Reading
from gptbot_operator.tenants import Tenants
from gptbot_operator.verdict import is_rolled_out

_REASON = "NotIsolated"
_CAUSE = "the shared store does not let the operator make users (ACL SETUSER)"
_REMEDY = "give the user in GPTBOT_STORE_URL the rights of docs/store.md, use spec.store"


@dataclass(slots=True)
class Share:
    """What is remembered of a bot between two looks."""

    made: tuple[tuple[str, str | None], str] | None = None
    """The last password made, and for which GptBot (uid) and request: it may not be in the Secret yet."""


@dataclass(frozen=True, slots=True)
class Login:
    """How a bot gets into the shared store."""

    url: str | None = field(default=None, repr=False)
    """None: there is no shared store, or the bot does not use it."""
    password: str | None = field(default=None, repr=False)
    """Of the bot's own user; None: it has the operator's."""
    rotation: str | None = None
    """The request for another password that is followed."""
    fault: StoreFault | None = None
    """Why the bot cannot get in, though the store is there."""
    isolated: bool = True
    """False: it should have a user of its own and cannot get one."""


class Sharing:
    """Gives bots their logins."""

    def __init__(self, settings: Settings, tenants: Tenants) -> None:
        self._settings = settings
        self._tenants = tenants

    async def login(
        self, key: str, bot: GptBot, document: Document, credentials: Credentials, share: Share, *, running: bool
    ) -> Login:
        """The login of a bot, let into the store; `running`: it has pods already."""
        shared = self._settings.store_url
        if bot.spec.store is not None or shared is None:
            return Login()
        try:
            StoreUrl.parse(shared)
        except ValueError:
            return Login(shared)  # StoreReachable says what is wrong with it
        possible = await self._tenants.isolates()
        uid = bot.metadata.uid
        if not self._own(possible, credentials, key):
            fault = await self._tenants.admit(key, uid, (), running=running)
            return Login(shared, fault=fault, isolated=self._settings.store_isolation == "off" or possible is None)
        wanted: str | None = (document["metadata"].get("annotations") or {}).get(ROTATE_ANNOTATION)
        known = credentials.password(key)
        if known is not None and wanted in (None, credentials.rotation):
            password = known
        else:
            if share.made is None or share.made[0] != (uid, wanted):
                share.made = (uid, wanted), new_password()
            password = share.made[1]
        # Until all pods have the new one, those of before go on with theirs.
        passwords = (password,) if known in (None, password) else (password, known)
        former = _those(credentials.former_password(key))
        fault = await self._tenants.admit(key, uid, passwords, running=running, former=former)
        url = login_as(shared, user_name(key), password)
        return Login(url, password, wanted, fault, isolated=possible is not False)

    async def keep(self, key: str, uid: str, credentials: Credentials) -> None:
        """Keep the pods of a bot in the shared store, of which nothing is to be changed now.

        They have the login that is in its Secret: a store that lost its users gets it back.
        """
        if credentials.used != SHARED:
            self._tenants.elsewhere(key, uid)
        elif credentials.moving is None:  # else it has no pods
            passwords, former = _those(credentials.password(key)), _those(credentials.former_password(key))
            await self._tenants.admit(key, uid, passwords, running=True, former=former)

    async def settle(self, key: str, login: Login, deployments: Sequence[Observed | None]) -> None:
        """After everything was applied: when all pods have the password, no other is good any more."""
        if login.password is not None and all(each is not None and is_rolled_out(each) for each in deployments):
            await self._tenants.settle(key, login.password)

    def _own(self, possible: bool | None, credentials: Credentials, key: str) -> bool:
        mode = self._settings.store_isolation
        if mode != "auto" or possible is not None:
            return mode == "required" or (mode == "auto" and possible is True)
        # The store cannot be asked now: as it was, and otherwise as it should be.
        return credentials.store_url is None or credentials.password(key) is not None

    def judge(self, reading: Reading | None, login: Login) -> Reading | None:
        """What a reading of the store, with the operator's own login, does not show."""
        if reading is None or not reading.reachable:
            return reading
        if login.fault is not None:
            return replace(reading, reachable=False, reason=login.fault.reason, message=str(login.fault))
        if login.isolated:
            return reading
        if login.password is not None:
            text = f"{_CAUSE}, and GPTBOT_STORE_ISOLATION is required: {_REMEDY}, or set it to auto"
            return replace(reading, reachable=False, reason=_REASON, message=text)
        text = f"{_CAUSE}, so the bot has the operator's login and could read other bots' keys: {_REMEDY}, or say"
        return replace(reading, reason=_REASON, message=f"{text} GPTBOT_STORE_ISOLATION=off if that is meant")


def _those(password: str | None) -> tuple[str, ...]:
    return () if password is None else (password,)
