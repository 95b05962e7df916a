"""Forgetting leaves nothing of the chat, or of the person, and all of the others."""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from gptbot.conversation.forgetting import Erased, Forgetting
from gptbot.inbox.chats import Chat
from gptbot.inbox.dead import DeadLetters
from gptbot.inbox.envelope import Envelope
from gptbot.inbox.keys import BotKeys
from gptbot.inbox.mailbox import Mailbox
from gptbot.inbox.overheard import Overheard, OverheardMessages
from gptbot.inbox.people import People
from gptbot.inbox.store import Store
from gptbot.manifest import BotConfig
from gptbot.platforms.base import SenderContext
from gptbot.platforms.web.sender import WebSender
from gptbot.safety.budgets import Amount, Budgets
from gptbot.safety.limits import Limits
from gptbot_api import GptBot, parse
from tests.process.residue import Kept, dump, kind

CHAT, OTHER_CHAT, ADA, BOB = "chat-pseudonym", "elsewhere-pseudonym", "ada-pseudonym", "bob-pseudonym"
ADA_HERE, BOB_HERE = "user-AAAA", "user-BBBB"
SESSION = {"session": CHAT}


def bot(**limits: Any) -> GptBot:
    return parse({
        "apiVersion": "gptbot.dev/v1alpha1", "kind": "GptBot", "metadata": {"name": "bot"},
        "spec": {"platforms": {"web": {}}, "llm": {"embedded": {}}, "limits": limits},
    })  # fmt: skip


async def said(store: Store, key: str, *messages: tuple[str, Any]) -> None:
    await store.command("RPUSH", key, *map(orjson.dumps, messages))


async def filled(store: Store, keys: BotKeys, spec: GptBot) -> Mailbox:
    """Two people in a chat, and one of them in another: each kind of thing that is kept."""
    mailbox, overheard = Mailbox(store, keys, "worker"), OverheardMessages(store, keys)
    limits = Limits(store, keys, lambda: spec.spec.limits)
    await mailbox.create_group()
    for chat, user in ((CHAT, ADA), (CHAT, BOB), (OTHER_CHAT, ADA)):
        event = uuid.uuid4().hex[:22]
        assert await limits.check(user, chat, event) is None
        await Budgets(store, keys, lambda: spec.spec.limits).spend(Amount(10), users=[user])
        where = {"session": chat}
        question = Envelope(
            event=event, platform="web", user=user, text="given up", address=where, direct=True, received=0.0
        )
        await mailbox.enqueue(chat, question)
        [entry] = await mailbox.receive(1, 1)
        claim = await mailbox.claim(entry)
        assert claim
        await mailbox.bury(claim, "trouble", 60)
    for chat in (CHAT, OTHER_CHAT):
        await said(
            store, keys.context(chat), ("user", f"{ADA_HERE}: hers"), ("assistant", "to her"),
            ("user", f"{BOB_HERE}: his"), ("assistant", "to him"), ("user", f"{BOB_HERE}:\n> {ADA_HERE}: hers\n\nso"),
            ("assistant", "to both"), ("asked", [f"{ADA_HERE}: not answered"]),
        )  # fmt: skip
        await store.command("SET", keys.summary(chat), "of all")
        await People(store, keys).saw(chat, [ADA_HERE, BOB_HERE], 60)
        await mailbox.choose(chat, {"summary_buffer": "on", "language": "ru"}, 60)
        for speaker, user in ((ADA_HERE, ADA), (BOB_HERE, BOB)):
            message = Overheard(speaker, f"by {speaker}", float(await now(store)))
            await overheard.keep(chat, uuid.uuid4().hex[:22], user, message, spec.spec)
    return mailbox


async def now(store: Store) -> int:
    return int((await store.command("TIME"))[0])


def sender(store: Store, keys: BotKeys, spec: GptBot) -> WebSender:
    return WebSender(SenderContext(bot=BotConfig(spec), settings={}, http=None, store=store, keys=keys))  # pyright: ignore[reportArgumentType]


async def left(store: Store, keys: BotKeys) -> list[Kept]:
    return [each for each in await dump(store) if each.key.startswith(keys.prefix)]


def holding(kept: list[Kept], text: str) -> set[str]:
    """Keys that have a text in their names or values."""
    data = text.encode()
    return {kind(each.key) for each in kept if data in each.key.encode() or any(data in value for value in each.values)}


async def test_a_chat_is_erased_at_once(store: Store, keys: BotKeys) -> None:
    spec = bot()
    mailbox, page = await filled(store, keys, spec), sender(store, keys, spec)
    await page.send(SESSION, "an answer", nonce="n", first=True, final=True)
    others = holding(await left(store, keys), OTHER_CHAT)
    erased = await Forgetting(mailbox).chat(CHAT, page)
    assert erased == Erased(messages=7, summary=True, overheard=2, settings=2, letters=2)
    kept = await left(store, keys)
    assert holding(kept, "an answer") == set()
    shown = f"p:web:session:{CHAT}"
    here = holding(kept, CHAT)
    known = {f"in:{ADA}", f"in:{BOB}", f"who:{CHAT}"}  # `Erasing` needs these, and then erases them
    assert here == {f"rate:chat:{CHAT}", shown} | known, "the count of a limit, and the news for open pages"
    assert all(each.ttl is not None and each.ttl <= 60 for each in kept if kind(each.key) in here - known)
    assert others <= holding(kept, OTHER_CHAT)
    [letter] = await DeadLetters(store, keys).list()
    assert letter.conversation == OTHER_CHAT
    assert (await Forgetting(mailbox).chat(CHAT, page)).nothing


async def test_a_person_is_erased_and_the_others_are_not(store: Store, keys: BotKeys) -> None:
    spec = bot()
    mailbox = await filled(store, keys, spec)
    assert await Forgetting(mailbox).said(Chat(CHAT, ADA_HERE)) == Erased(messages=5, summary=True, overheard=1)
    assert await Forgetting(mailbox).person(ADA, spec.spec) == Erased(letters=2, usage=True)
    kept = await left(store, keys)
    known = {f"in:{ADA}", f"who:{CHAT}", f"who:{OTHER_CHAT}"}
    assert holding(kept, ADA) == {f"rate:user:{ADA}"} | known, "the count of a limit, and where else to erase"
    assert {key for key in holding(kept, ADA_HERE) if OTHER_CHAT not in key} == {f"in:{ADA}", f"who:{CHAT}"}
    assert await mailbox.store.command("LRANGE", keys.context(CHAT), 0, -1) == [
        orjson.dumps(("user", f"{BOB_HERE}: his")), orjson.dumps(("assistant", "to him")),
    ]  # fmt: skip
    assert f"tokens:{BOB}" in holding(kept, BOB)
    assert await mailbox.store.command("HLEN", keys.settings(CHAT)) == 2, "the chat's settings are everybody's"


async def test_no_limit_is_got_round_by_being_forgotten(store: Store, keys: BotKeys) -> None:
    spec = bot(perUser={"messages": 2, "per": "1m"}, tokensPerUserPerDay=1000)
    mailbox = await filled(store, keys, spec)
    limits = Limits(store, keys, lambda: spec.spec.limits)
    assert not (await Forgetting(mailbox).person(ADA, spec.spec)).usage
    refusal = await limits.check(ADA, CHAT, "next")
    assert refusal, "two messages a minute are two messages a minute"
    assert refusal.limit == "user"
    assert (await limits.left(ADA, CHAT)).user_tokens.used == 20
