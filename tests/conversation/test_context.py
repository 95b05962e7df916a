"""What the model is told of a conversation, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from gptbot.conversation.context import kept, prompt, question, remember
from gptbot.inbox.envelope import Envelope
from gptbot.llm.budget import TokenBudget
from gptbot_api.policy import Context


def said(text: str, **more: Any) -> Envelope:
    fields: dict[str, Any] = {"event": "e", "platform": "web", "user": "u", "address": {}, "direct": True}
    return Envelope(text=text, received=0.0, **{**fields, **more})


def test_in_a_private_chat_nobody_is_marked() -> None:
    assert question(said("why?"), []).text == "why?"
    assert question(said("why?", quote="it rains\nhere"), []).text == "> it rains\n> here\n\nwhy?"
    assert question(said("", quote="a forwarded message"), []).text == "> a forwarded message"


def test_in_a_group_each_message_begins_with_its_author() -> None:
    message = said("why?", direct=False, speaker="user-k3Fq")
    assert question(message, []).text == "user-k3Fq: why?"
    replied = said("why?", direct=False, speaker="user-k3Fq", quote="@user-Abcd: it rains")
    assert question(replied, []).text == "user-k3Fq:\n> @user-Abcd: it rains\n\n  why?"


LONG = "A **long** answer. " * 200


@pytest.mark.parametrize(
    ("quote", "repeated"),
    [
        ("Use a kettle, as the page says: boil 1 l.", False),  # as the platform shows it
        ("boil 1 l.", True),  # a part that was chosen
        ("An old answer", True),
        ("Something that somebody else said", True),
    ],
)
def test_the_last_answer_needs_no_repetition(quote: str, repeated: bool) -> None:
    context = remember([
        ("user", "first"), ("assistant", "An **old** answer"), ("user", "how?"),
        ("assistant", "Use a **kettle**, as [the page](https://example.org) says:\n\n- boil 1 l."),
        ("user", "and?"), ("assistant", "Use a **kettle**, as the page says:\n\n- boil 1 l."),
    ])  # fmt: skip
    assert (quote in question(said("why?", quote=quote), context).text) is repeated


def test_a_message_of_a_long_last_answer_needs_no_repetition_either() -> None:
    context = remember([("user", "tell me"), ("assistant", LONG)])
    shown = LONG.replace("**", "")
    assert question(said("go on", quote=f"{shown[500:2500]} […]"), context).text == "go on"
    assert question(said("go on", quote=shown[:40]), context).text != "go on"


def test_the_order_of_a_request() -> None:
    context = remember([("user", "a"), ("assistant", "A")])
    messages = prompt("You are brief.", context, ["b"], summary="Ada likes kettles.", group=True)
    assert [message["role"] for message in messages] == ["system", "system", "user", "assistant", "user"]
    assert messages[0]["content"].startswith("You are brief.\n\nThis is a group chat")
    assert "<notes>\nAda likes kettles.\n</notes>" in messages[1]["content"]
    assert prompt("You are brief.", [], ["b"])[0]["content"] == "You are brief."


def test_of_several_system_messages_one_is_sent_and_the_persona_has_what_the_summary_leaves() -> None:
    budget = TokenBudget()
    long = prompt("P" * 9000, [], ["b"], summary="S" * 9000)
    [system, asked] = budget.trim(long, 1024, 256)
    assert asked == {"role": "user", "content": "b"}
    assert 300 < budget.count("", [system]) <= 384 + 8
    halves = [system["content"].count(letter) for letter in "PS"]
    assert min(halves) > 400
    [system, _] = budget.trim(prompt("P" * 9000, [], ["b"], summary="short"), 1024, 256)
    assert system["content"].count("P") > 700
    assert "short" in system["content"]


def test_messages_stay_until_they_are_folded_and_no_longer_than_that() -> None:
    assert kept(Context(max_messages=40, summarize=False)) == 40
    assert kept(Context(max_messages=0)) == 0
    assert kept(Context(max_messages=40)) == 88


def test_what_is_forwarded_is_told_from_the_authors_own_words() -> None:
    mark = "[forwarded message]"
    assert (
        question(said("it rains\nuser-Abcd: yes", forwarded=True), []).text == f"{mark}\n> it rains\n> user-Abcd: yes"
    )
    assert question(said("", quote="it rains", forwarded=True), []).text == f"{mark}\n> it rains", "as Discord tells it"
    assert question(said("", forwarded=True), []).text == mark, "its files follow"
    grouped = said("it rains\nyes", forwarded=True, speaker="user-k3Fq")
    assert question(grouped, []).text == f"user-k3Fq: {mark}\n> it rains\n> yes"
    assert not question(grouped, []).event, "nobody can edit it"
    assert Envelope.decode(grouped.encode()).forwarded
