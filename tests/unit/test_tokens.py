"""Two bots with one token."""

from __future__ import annotations

from typing import Any

from gptbot_api.references import references
from gptbot_operator.store import PlatformReport, Reading
from gptbot_operator.tokens import Tokens, platform_tokens
from tests.unit.bots import bot
from tests.unit.test_status import conditions, seen_with, status_of


def test_both_are_told_and_again_when_one_changes() -> None:
    tokens = Tokens()
    assert tokens.note("a/one", {"telegram": "x"}) == set()
    assert tokens.note("a/other", {"telegram": "y", "discord": "x"}) == set(), "another platform, another token"
    assert tokens.note("b/two", {"telegram": "x"}) == {"a/one"}
    assert tokens.shared("a/one") == {"telegram": ["b/two"]}
    assert tokens.shared("b/two") == {"telegram": ["a/one"]}
    assert tokens.note("b/two", {"telegram": "x"}) == set(), "nothing has changed"
    assert tokens.note("b/two", {"telegram": "z"}) == {"a/one"}
    assert tokens.shared("a/one") == tokens.shared("b/two") == {}
    tokens.note("b/two", {"telegram": "x"})
    assert tokens.forget("b/two") == {"a/one"}
    assert tokens.shared("a/one") == {}


def test_what_is_kept_is_neither_the_token_nor_its_digest() -> None:
    first, second = Tokens(), Tokens()
    for tokens in (first, second):
        tokens.note("a/one", {"telegram": "the digest"})
    kept = [repr(vars(tokens)) for tokens in (first, second)]
    assert "digest" not in "".join(kept)
    assert kept[0] != kept[1], "each process has a key of its own"


def test_until_all_bots_were_looked_at_nothing_is_known() -> None:
    tokens = Tokens()
    tokens.note("a/one", {})
    assert not tokens.complete(None), "the list of bots has not ended"
    assert not tokens.complete(2)
    tokens.note("b/two", {})
    assert tokens.complete(2)
    assert tokens.complete(3), "a new bot tells of itself"


def test_tokens_of_platforms_and_nothing_else() -> None:
    spec: dict[str, Any] = {
        "platforms": {
            "telegram": {"tokenSecretRef": {"name": "keys", "key": "t"}},
            "extra": {
                "irc": {
                    "tokenSecretRef": {"name": "keys", "key": "i"}, "passwordSecretRef": {"name": "keys", "key": "p"}
                }
            },
        }
    }  # fmt: skip
    digests = {reference: reference.key for reference in references(bot("telegram-only", **spec))}
    assert platform_tokens(digests) == {"telegram": "t", "irc": "i"}


def test_the_condition_names_the_other_bot() -> None:
    reading = Reading(True, backlog=0, platforms={"web": PlatformReport(True)}, model={"spec.llm": "ok"})
    seen = conditions("external-store", store=reading, duplicates={"web": ["b/two"]})
    status, reason, message = seen["PlatformsConnected"]
    assert (status, reason) == ("False", "DuplicateToken")
    assert message.startswith("web: b/two has the same token")
    assert seen["Ready"][:2] == ("True", "PartlyConnected")


def test_after_a_start_what_was_said_stands_until_all_bots_are_known() -> None:
    subject = bot("external-store")
    told = status_of(subject, seen_with(duplicates={"web": ["b/two"]}), {}, "2026-01-01T00:00:00Z")
    again = status_of(subject, seen_with(duplicates=None), told, "2026-01-02T00:00:00Z")
    assert again == told
    resolved = status_of(subject, seen_with(), told, "2026-01-02T00:00:00Z")
    assert resolved["platforms"][0]["reason"] == ""
