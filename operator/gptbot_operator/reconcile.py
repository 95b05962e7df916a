"""One look at one bot: read, compute what is wanted, apply the difference, say how it is."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from gptbot_api import KIND, GptBot, InvalidManifest
from gptbot_api.doubts import findings
from gptbot_api.placeholders import PASSWORD
from gptbot_api.references import Reference, references
from gptbot_api.store_faults import IN_USE
from gptbot_operator import events, metrics
from gptbot_operator.apply import Outcome, apply_children
from gptbot_operator.board import Board
from gptbot_operator.bot_metrics import SEEN
from gptbot_operator.cache import Cache, ObjectKey, Observed, observe
from gptbot_operator.cancelling import cancelled
from gptbot_operator.child import SecretUnknown
from gptbot_operator.cluster import ApiError, Cluster, Document
from gptbot_operator.credentials import Credentials
from gptbot_operator.desired.children import children, unserved
from gptbot_operator.desired.config import config_map
from gptbot_operator.desired.context import Context, config_name, gateway_name, secret_name, selector, worker_name
from gptbot_operator.desired.secret import SHARED
from gptbot_operator.discovery import Discovery
from gptbot_operator.failing import failed_status, is_worth_telling
from gptbot_operator.installation import copied, effective, original_of
from gptbot_operator.memory import Memory
from gptbot_operator.moving import Moves, Stand
from gptbot_operator.newer import NewerCrd
from gptbot_operator.pausing import is_paused
from gptbot_operator.pods import PodLook, PodTrouble, trouble_of
from gptbot_operator.presence import Presence
from gptbot_operator.readings import Readings
from gptbot_operator.rollout import unfinished
from gptbot_operator.scalers import scalable
from gptbot_operator.serving import Serving
from gptbot_operator.settings import Settings
from gptbot_operator.sharing import Sharing
from gptbot_operator.stamps import owner_digest
from gptbot_operator.status import refused_status, status_of
from gptbot_operator.stopping import deployments, is_suspended, stop
from gptbot_operator.store import Reading
from gptbot_operator.tenancy.rules import NotAllowed, permit, permit_store, store_fault
from gptbot_operator.tenants import Tenants
from gptbot_operator.tokens import Tokens, platform_tokens
from gptbot_operator.turns import Turns
from gptbot_operator.verdict import Seen, Verdict
from gptbot_operator.workqueue import WorkQueue

_WITH_PODS = ("ConfigMap", "Deployment", "HorizontalPodAutoscaler")
"""Pods that start again read the first."""
_HELD_SECONDS = 1.0
"""Until the next look at a bot that is to have pods as soon as something is done."""
_NEWER_SECONDS = 5.0
"""Until the next look at a bot with fields that only a newer operator knows: that one may be on its way."""
_GRACE = 4
"""Looks that a trouble must last before an Event tells of it: a minute, if nothing else is set."""
_TIMEOUT = 90.0
"""Seconds for one look, in all."""
_TELL_TIMEOUT = 30.0
"""Seconds for saying that a look failed."""


_log = structlog.get_logger("gptbot_operator")


class Unfinished(Exception):
    """Something could not be done now; the status says what. Try again later."""

    def __init__(self, reason: str, seconds: float, *, news: bool) -> None:
        super().__init__(reason)
        self.seconds = seconds
        """Until the next try."""
        self.news = news
        """It was tried in this look, and not left alone because of an earlier one."""


class Reconciler:
    """Looks at bots whose keys are in the queue."""

    def __init__(self, settings: Settings, cluster: Cluster, instance: str, board: Board | None = None) -> None:
        """`instance`: this process, for Events. `board`: what people say of the rollout."""
        self.cache = Cache()
        self.queue = WorkQueue()
        self._settings = settings
        self._cluster = cluster
        self._instance = instance
        self._crd = NewerCrd(cluster)
        self._serving = Serving(settings, cluster, instance)
        self._store = Readings(settings.store_url, settings.refresh_seconds * 0.8, self.queue.add)
        self._tokens = Tokens()
        presence = Presence(self.cache, cluster, settings.namespaces)
        self._tenants = Tenants(settings, cluster.identity, presence, self.queue.add)
        self._sharing = Sharing(settings, self._tenants)
        self._moves = Moves(self._tenants, self.queue.add)
        self._turns = Turns(settings, self.queue, board or Board())
        self._memory: dict[str, Memory] = {}
        self.discovery = Discovery(cluster, max_age=settings.resync_seconds / 2)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._moves.start(tasks)
                self._store.start(tasks)
                for _ in range(self._settings.concurrency):
                    tasks.create_task(self._work())
                tasks.create_task(self._tenants.run())
        finally:
            await self._store.close()

    async def _work(self) -> None:
        while not cancelled():
            key = await self.queue.take()
            log = _log.bind(bot=key)
            started = time.perf_counter()
            result = "error"
            try:
                async with asyncio.timeout(_TIMEOUT):
                    exists = await self.reconcile(key)
                self.queue.succeeded(key)
                if exists:  # backlog and platforms change without an event
                    self.queue.add_after(key, self._refresh_seconds())
                result = "ok"
            except Unfinished as error:
                self.queue.succeeded(key)
                self.queue.add_after(key, min(error.seconds, self._refresh_seconds()))
                if error.news:
                    log.warning("unfinished", reason=str(error), retry_seconds=round(error.seconds, 1))
                result = "unfinished"
            except (ApiError, TimeoutError) as error:
                reason = str(error) or "took too long"
                log.warning("not reconciled", reason=reason, retry_seconds=round(self.queue.retry(key), 1))
                await self._tell_failure(key, error)
            except Exception as error:
                log.exception("not reconciled", retry_seconds=round(self.queue.retry(key), 1))
                await self._tell_failure(key, error)
            finally:
                self._turns.looked(key, self.cache.bots_known(self._settings.namespaces))
                self.queue.done(key)
                metrics.RECONCILES.labels(result).inc()
                metrics.SECONDS.observe(seconds := time.perf_counter() - started)
                log.debug("looked at", result=result, seconds=round(seconds, 3))
                metrics.QUEUED.set(len(self.queue))
                metrics.BOTS.set(len(self._memory))

    async def _tell_failure(self, key: str, error: Exception) -> None:
        """Say in the status that a look failed, as far as that goes."""
        document = self.cache.bots.get(key)
        if document is None or key not in self._memory or not self._serving.holds(document):
            return
        if not is_worth_telling(error):
            return
        try:
            async with asyncio.timeout(_TELL_TIMEOUT):
                await self._write_status(key, document, failed_status(document, error, _now()))
        except (ApiError, TimeoutError) as untold:
            _log.warning("failure not told in the status", bot=key, reason=str(untold) or "took too long")
        except Exception:  # what failed may be the writing
            _log.exception("failure not told in the status", bot=key)

    def _refresh_seconds(self) -> float:
        return self._settings.refresh_seconds * random.uniform(0.9, 1.1)

    async def reconcile(self, key: str) -> bool:
        """Look at one bot. False: there is no such bot (any more).

        Raises Unfinished when the status says what has to be tried again, ApiError when the API server is away.
        """
        memory = self._memory.setdefault(key, Memory())
        everything = time.monotonic() - memory.full_at >= self._settings.resync_seconds
        document = await self._bot(key, live=everything and not self._is_new(key, memory))
        if document is None:
            await self._forget(key)
            return False
        if memory.uid not in ("", document["metadata"]["uid"]):
            await self._forget(key)
            memory, everything = self._memory.setdefault(key, Memory()), True
        new = self._is_new(key, memory)  # then the watches are trusted: the API server tells what they do not show yet
        memory.uid = document["metadata"]["uid"]
        if (document := await self._served_here(key, document)) is None:
            return True
        paused = is_paused(document["metadata"].get("annotations") or {})
        everything = memory.ends_pause(paused=paused) or everything
        credentials = await self._credentials(document["metadata"], memory, live=everything, new=new)
        memory.left = self._own_stores(document["metadata"], credentials)
        try:
            written = await self._crd.read(document)
            permit(written, self._settings.tenancy)
            bot = effective(written, self._settings)
            memory.unknown_since = None
        except InvalidManifest as error:
            first = memory.unknown_since is None
            if memory.may_be_newer(error):
                raise Unfinished(f"the CRD is newer than this operator: {error}", _NEWER_SECONDS, news=first) from None
            return await self._refused(key, document, error)
        wanted = references(bot)
        self.cache.refer(key, {(r.kind, bot.metadata.namespace, r.name) for r in wanted})
        copies = copied(bot, wanted, self._settings)
        digests = await self._digests(bot, wanted, copies, live=everything and not new)
        own_store = None if bot.spec.store is None else await self._own_store(bot, memory, digests)
        try:
            for store in (own_store, *credentials.own_stores()):
                permit_store(bot, store, self._settings.tenancy)
        except NotAllowed as error:
            return await self._refused(key, document, error)
        scalers = self.cache.scalers(scalable(bot))
        running = self._own(bot, "Deployment", gateway_name(bot)) is not None
        stand = await self._stand(key, bot, memory, credentials, own_store)
        in_use = await self._tenants.begin(key, running=running)
        login = await self._sharing.login(key, bot, document, credentials, memory.share, running=running)
        login = replace(login, fault=in_use or stand.fault or login.fault)
        context = Context(
            settings=self._settings,
            pepper=credentials.pepper,
            # Pods that are still in the shared store may start their containers again.
            store_url=login.url or (credentials.store_url if stand.used == SHARED else None),
            rotation=login.rotation,
            references=tuple(wanted),
            digests=digests,
            copied=copies,
            own_store_url=own_store,
            used_store=stand.used,
            moving_to=stand.moving,
            scalers=scalers,
            served=await self.discovery.refresh(),
            held=stand.pods == "stop" or (login.fault is not None and login.fault.reason == IN_USE.reason),
        )
        if stand.moving not in (None, credentials.moving):
            self.queue.add(key)  # begins once that is in its Secret
        elif context.held:
            self.queue.add_after(key, _HELD_SECONDS)
        outcome = Outcome()
        manifests = children(bot, context)
        if not new:
            await self._see_deployments(bot, manifests)
        turn = self._turns.take(
            key, bot, manifests,
            owner_digest(written, wanted, digests, credentials.pepper, login.password), self._deployments(bot),
            edited=_edited(document), answers=_answered(document), paused=paused,
        )  # fmt: skip
        manifests = _for_pods_of_before(bot, turn.manifests) if turn.held else turn.manifests
        try:
            if not paused:
                outcome = await apply_children(
                    self._cluster, self.cache, bot, manifests, memory.applied,
                    served=context.served, unserved=unserved(bot, context), everything=everything, new=new,
                    secret_read=memory.secret is not None, untouched=_untouched(bot, stand), held=turn.held,
                )  # fmt: skip
                self._note_secret(bot, memory, context, outcome)
        except SecretUnknown:
            memory.looked, memory.without_secret = True, False
            return await self.reconcile(key)
        memory.looked = True
        gateway = self._own(bot, "Deployment", gateway_name(bot))
        worker = self._own(bot, "Deployment", worker_name(bot))
        if not (paused or outcome.holds_up_pods or turn.held):
            await self._sharing.settle(key, login, [gateway, worker] if bot.spec.workers.max_replicas else [gateway])
        seen = Seen(
            settings=self._settings,
            missing=[_missing(bot, reference) for reference in wanted if reference not in digests],
            unfilled=self._unfilled(bot, wanted),
            doubts=findings(written),
            duplicates=self._duplicates(key, {} if bot.spec.suspend else platform_tokens(digests)),
            conflicts=outcome.conflicts,
            failures=outcome.failures,
            store=self._tenants.judge(
                key, self._sharing.judge(await self._reading(key, bot, memory, context, stand), login)
            ),
            gateway=gateway,
            worker=worker,
            gateway_pods=await self._pods(bot, memory, "gateway", gateway),
            worker_pods=await self._pods(bot, memory, "worker", worker),
            gateway_held_up=outcome.held_up(gateway_name(bot)),
            worker_held_up=outcome.held_up(worker_name(bot)),
            scalers=scalers,
            autoscaler=self._own(bot, "HorizontalPodAutoscaler", worker_name(bot)),
            waits_for_rollout=self._turns.waits(turn, self._deployments(bot)),
        )
        status = status_of(bot, seen, document.get("status") or {}, _now())
        failure = self._turns.saw(key, bot, turn, self._deployments(bot), seen, outcome, _ready(status))
        await self._write_status(key, document, status)
        if failure:
            await self._tell(key, events.rollout_stopped(document, failure, self._instance))
        if everything:
            memory.full_at = time.monotonic()
        if outcome.faults:
            if outcome.tried:
                self.discovery.doubt()
            again = memory.applied.refusals.next_in() or 0.0
            raise Unfinished("; ".join([*outcome.conflicts, *outcome.failures]), again, news=outcome.tried)
        return True

    def _is_new(self, key: str, memory: Memory) -> bool:
        """Whether nobody has looked at a bot to the end: it has no status, and no children but of a look cut short."""
        document = self.cache.bots.get(key)
        return not memory.looked and document is not None and not document.get("status")

    async def _refused(self, key: str, document: Document, error: InvalidManifest) -> bool:
        """Say why nothing of a bot is applied. What runs of it stays as it was, unless the bot is suspended."""
        self._memory[key].full_at = time.monotonic()
        await self._moves.forget(key)
        await self._keep(key, document["metadata"]["uid"], self._memory[key])
        self._turns.leave(key)
        reason = "NotAllowed" if isinstance(error, NotAllowed) else "InvalidSpec"
        if reason == "InvalidSpec" or not self._tokens.knows(key):  # else its pods may use the tokens still
            self._duplicates(key, {})
        refusal = Verdict("False", reason, "; ".join(map(str, error.faults)))
        running = deployments(self.cache, document)
        stopping = None
        if is_suspended(document) and not self._memory[key].paused:
            stopping = await stop(self._cluster, document, running)
        await self._write_status(key, document, refused_status(document, refusal, stopping, running, _now()))
        if stopping is not None and stopping.reason != "Suspended":
            raise ApiError(403, f"the pods of the suspended bot cannot be ended: {stopping.message}")
        return True

    async def _bot(self, key: str, *, live: bool) -> Document | None:
        document = self.cache.bots.get(key)
        if document is None or live:
            document = await self._cluster.get(KIND, *key.split("/"))
            if document is None:
                self.cache.bots.pop(key, None)
                return None
            self.cache.bots[key] = document
        # Being deleted: the garbage collector takes the children away, and nothing here may bring them back.
        return None if document["metadata"].get("deletionTimestamp") else document

    async def _served_here(self, key: str, document: Document) -> Document | None:
        """The bot, claimed for this installation; None: another serves it, and nothing but that is known of it here."""
        claimed = await self._serving.claim(key, document)
        if claimed is not None:
            if claimed is not document:
                self.cache.bots[key] = claimed
            return claimed
        self._duplicates(key, {})
        self._turns.leave(key)
        self.cache.refer(key, ())
        SEEN.forget(key)
        memory = self._memory[key]
        self._memory[key] = Memory(uid=memory.uid, full_at=time.monotonic())
        if memory.url is not None:  # it was served here
            await self._moves.forget(key)
            self._tenants.leave(key, ())
            await self._store.forget(key, self._urls())
        return None

    async def _forget(self, key: str) -> None:
        memory = self._memory.pop(key, None)
        self._serving.forget(key)
        self._turns.leave(key)
        SEEN.forget(key)
        for other in self._tokens.forget(key):
            self.queue.add(other)
        if memory is not None and memory.uid:
            await self._moves.forget(key)  # nothing arrives any more where it is to be erased
            self._tenants.leave(key, memory.left)
        self.cache.refer(key, ())
        self.queue.succeeded(key)
        await self._store.forget(key, self._urls())

    def _duplicates(self, key: str, tokens: dict[str, str]) -> dict[str, list[str]] | None:
        """Who has a token of this bot too; they get a look when that has changed. None: not all bots are known yet."""
        for other in self._tokens.note(key, tokens):
            self.queue.add(other)
        known = self.cache.bots_known(self._settings.namespaces)
        return self._tokens.shared(key) if self._tokens.complete(known) else None

    def _urls(self) -> set[str]:
        return {memory.url for memory in self._memory.values() if memory.url is not None}

    async def _digests(
        self, bot: GptBot, wanted: list[Reference], copies: Mapping[Reference, str], *, live: bool
    ) -> dict[Reference, str]:
        digests = {reference: hashlib.sha256(value.encode()).hexdigest() for reference, value in copies.items()}
        fetched: set[ObjectKey] = set()
        for reference in wanted:
            if original_of(bot, reference) is not None:
                continue  # its copy may not be made yet
            key = (reference.kind, bot.metadata.namespace, reference.name)
            if (key not in self.cache.objects or live) and key not in fetched:
                fetched.add(key)
                document = await self._cluster.get(*key)
                if document is None:
                    self.cache.objects.pop(key, None)
                else:
                    self.cache.objects[key] = observe(document)
            seen = self.cache.objects.get(key)
            if seen is not None and reference.key in seen.digests:
                digests[reference] = seen.digests[reference.key]
        return digests

    def _unfilled(self, bot: GptBot, wanted: Sequence[Reference]) -> list[str]:
        """A line for each key whose value was never filled in. Whatever people like may be a password."""
        lines: list[str] = []
        for reference in wanted:
            seen = self.cache.objects.get((reference.kind, bot.metadata.namespace, reference.name))
            if seen is not None and reference.key in seen.unfilled and not reference.path.endswith(PASSWORD):
                text = seen.unfilled[reference.key]
                lines.append(f"{reference.path}: key {reference.key!r} of Secret {reference.name!r} {text}")
        return lines

    async def _credentials(self, metadata: Document, memory: Memory, *, live: bool, new: bool) -> Credentials:
        """What is in a bot's own Secret, else new ones, which stay the same until they are in there."""
        key = ("Secret", metadata["namespace"], secret_name(metadata["name"]))
        seen = self.cache.objects.get(key)
        if not live and memory.secret and seen is not None and memory.secret[0] == seen.fingerprint:
            return memory.secret[1]
        if seen is None and (new or (memory.without_secret and not live)):
            memory.secret = None
            return Credentials(memory.spare.pepper())
        document = await self._cluster.get(*key)
        memory.without_secret = document is None
        if document is None or (observed := observe(document)).owner != metadata["uid"]:
            memory.secret = None
            return Credentials(memory.spare.pepper())
        credentials = Credentials.of(document, memory.spare)
        memory.secret = (observed.fingerprint, credentials)
        return credentials

    def _own_stores(self, metadata: Document, credentials: Credentials) -> frozenset[str]:
        """Stores beside the shared one that hold what a bot keeps, as far as they may be asked."""
        stores, tenancy = credentials.own_stores(), self._settings.tenancy
        return frozenset(store for store in stores if store_fault(store, metadata["namespace"], tenancy) is None)

    def _note_secret(self, bot: GptBot, memory: Memory, context: Context, outcome: Outcome) -> None:
        """The Secret that was applied need not be read: what is in it is known."""
        identity = ("Secret", config_name(bot))
        used = context.used_store or (SHARED if context.store_url else None)
        if memory.secret is None and identity not in outcome.faults and (seen := self._own(bot, *identity)):
            stored = Credentials(context.pepper, context.store_url, context.rotation, used, context.moving_to)
            memory.secret, memory.without_secret = (seen.fingerprint, stored), False
            memory.spare.drop()

    async def _reading(self, key: str, bot: GptBot, memory: Memory, context: Context, stand: Stand) -> Reading | None:
        if bot.spec.store is None:
            url, memory.store = self._settings.store_url, None
        else:
            url = context.own_store_url
        if url != memory.url:
            before, memory.url = memory.url, url
            if before is not None:
                await self._store.forget(key, self._urls())
        if url is None:
            return None
        return await self._store.read(url, key) if stand.fault is None else Reading(True)  # that says it all

    async def _stand(
        self, key: str, bot: GptBot, memory: Memory, credentials: Credentials, own_store: str | None
    ) -> Stand:
        """Where the bot stands with its store: in another one than before, what it keeps is moved first."""
        shared = SHARED if bot.spec.store is None and self._settings.store_url is not None else None
        wanted = own_store if bot.spec.store is not None else shared
        used, moving = credentials.used, credentials.moving

        async def stopped() -> bool:
            names = gateway_name(bot), worker_name(bot)
            return not any(self._own(bot, "Deployment", name) for name in names) and await self._tenants.stopped(key)

        if memory.paused:
            stand = await self._moves.hold(key, used, moving)
        else:
            stand = await self._moves.look(key, bot.metadata.uid, used, wanted, stopped, moving)
        now = {stand.used, stand.moving, *([own_store] if stand.used is None else [])}
        memory.left |= {store for store in now if store not in (None, SHARED)}
        if bot.spec.store is not None and stand.moving != SHARED:
            await self._keep(key, bot.metadata.uid, memory, stand)
        return stand

    async def _keep(self, key: str, uid: str, memory: Memory, stand: Stand | None = None) -> None:
        """Keep what a bot has in the shared store, though it is not to be there; `stand`: later than its Secret."""
        if memory.secret is None and not memory.without_secret:
            return  # nobody has looked whether it has a Secret
        credentials = memory.secret[1] if memory.secret else Credentials("")
        if stand is not None:
            credentials = replace(credentials, used=stand.used, moving=stand.moving)
        await self._sharing.keep(key, uid, credentials)

    async def _own_store(self, bot: GptBot, memory: Memory, digests: dict[Reference, str]) -> str | None:
        assert bot.spec.store is not None
        name, secret_key = bot.spec.store.url_secret_ref.name, bot.spec.store.url_secret_ref.key
        digest = next((d for r, d in digests.items() if (r.kind, r.name, r.key) == ("Secret", name, secret_key)), None)
        if digest is None:
            return None
        if memory.store is None or memory.store[0] != digest:
            document = await self._cluster.get("Secret", bot.metadata.namespace, name)
            encoded = ((document or {}).get("data") or {}).get(secret_key)
            if not encoded:
                return None
            memory.store = (digest, base64.b64decode(encoded).decode(errors="replace").strip())
        return memory.store[1]

    async def _see_deployments(self, bot: GptBot, manifests: list[Document]) -> None:
        """Read those that the watches have not shown yet: what runs decides on what is applied."""
        for manifest in manifests:
            key = (manifest["kind"], bot.metadata.namespace, manifest["metadata"]["name"])
            if manifest["kind"] != "Deployment" or key in self.cache.objects:
                continue
            if (document := await self._cluster.get(*key)) is not None:
                self.cache.objects[key] = observe(document)

    def _deployments(self, bot: GptBot) -> dict[str, Observed]:
        names = gateway_name(bot), worker_name(bot)
        return {name: seen for name in names if (seen := self._own(bot, "Deployment", name)) is not None}

    def _own(self, bot: GptBot, kind: str, name: str) -> Observed | None:
        seen = self.cache.objects.get((kind, bot.metadata.namespace, name))
        return seen if seen is not None and seen.owner == bot.metadata.uid else None

    async def _pods(
        self, bot: GptBot, memory: Memory, component: str, deployment: Observed | None
    ) -> PodTrouble | None:
        """Why a component's pods do not work, where they have not for a while."""
        if deployment is None or not unfinished(deployment):
            memory.pods.pop(component, None)
            return None
        now, pause = time.monotonic(), self._settings.refresh_seconds
        look = memory.pods.get(component)
        if look is None or look.fingerprint != deployment.fingerprint:
            look = memory.pods[component] = PodLook(deployment.fingerprint, now + pause, pause)
        if look.due(now, self._settings.resync_seconds):
            found = await self._cluster.list("Pod", bot.metadata.namespace, selector(bot, component))
            look.found = trouble_of(found)
        return look.found

    async def _write_status(self, key: str, document: Document, status: Document) -> None:
        before: Document = document.get("status") or {}
        if before != status:
            self.cache.bots[key] = await self._serving.write(document, status)
        SEEN.note(document, status, self._settings.image)
        grace = _GRACE * self._settings.refresh_seconds
        for event in self._memory[key].events.changes(document, before, status, self._instance, grace):
            await self._tell(key, event)

    async def _tell(self, key: str, event: Document) -> None:
        try:
            await self._cluster.create(event)
        except ApiError as error:  # an Event is a courtesy
            _log.info("event not written", bot=key, reason=str(error))


def _untouched(bot: GptBot, stand: Stand) -> tuple[str, ...]:
    """Kinds that stay as they are: pods of before go on while a new store cannot be used."""
    return _WITH_PODS if stand.pods == "stay" and not bot.spec.suspend else ()


def _for_pods_of_before(bot: GptBot, manifests: list[Document]) -> list[Document]:
    """The children of a bot whose pods may be of an older version, which refuses fields that it does not know."""
    return [config_map(bot, brief=True) if each["kind"] == "ConfigMap" else each for each in manifests]


def _edited(document: Document) -> bool:
    """Whether the newest spec was not applied yet."""
    return (document.get("status") or {}).get("observedGeneration") != document["metadata"].get("generation")


def _answered(document: Document) -> bool:
    return _ready(document.get("status") or {}).get("status") == "True"


def _ready(status: Document) -> Document:
    """The condition Ready."""
    return next((each for each in status.get("conditions") or [] if each["type"] == "Ready"), {})


def _missing(bot: GptBot, reference: Reference) -> str:
    if original := original_of(bot, reference):
        where = f"the default of this installation: Secret {original[0]!r} in the operator's namespace"
        return f"{reference.path}: {where} has no key {original[1]!r}, or it is empty"
    where = f"{reference.kind} {reference.name!r} in namespace {bot.metadata.namespace!r}"
    return f"{reference.path}: {where} has no key {reference.key!r}, or it is empty"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
