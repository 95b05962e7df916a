"""Who may talk to the bot."""

import pytest

from gptbot.safety.access import administers, allowed
from gptbot_api.policy import Access

ANNA = ("user:1", "chat:10", "guild:100", "role:7")


@pytest.mark.parametrize(
    ("allow", "deny", "may"),
    [
        ([], [], True),
        (["fake:user:1"], [], True),
        (["fake:guild:100"], [], True),
        (["fake:user:2"], [], False),
        (["other:user:1"], [], False),
        ([], ["fake:user:1"], False),
        ([], ["fake:role:7"], False),
        ([], ["fake:user:2", "other:user:1"], True),
        (["fake:user:1"], ["fake:chat:10"], False),
    ],
)
def test_deny_wins_and_an_empty_allow_list_lets_everybody_in(allow: list[str], deny: list[str], may: bool) -> None:
    assert allowed(ANNA, Access(allow=allow, deny=deny), "fake") is may


def test_somebody_without_principals_comes_in_only_where_everybody_may() -> None:
    assert allowed((), Access(), "fake")
    assert not allowed((), Access(allow=["fake:user:1"]), "fake")


def test_administrators_are_those_named_for_their_platform() -> None:
    access = Access(administrators=["fake:user:1", "fake:role:8"])
    assert administers(ANNA, access, "fake")
    assert administers(("user:2", "role:8"), access, "fake")
    assert not administers(("user:2", "role:7"), access, "fake")
    assert not administers(ANNA, access, "other")
    assert not administers(ANNA, Access(), "fake")
