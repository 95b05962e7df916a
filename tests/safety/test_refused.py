"""The gateway's memory of whom the store refused."""

from gptbot.safety.refused import Known, Refused


def test_a_refusal_holds_until_its_time_and_not_longer() -> None:
    now = [100.0]
    known = Refused[str](clock=lambda: now[0])
    known.note("anna", "user", 60)
    assert known.get("anna") == Known("user", 60)
    assert known.get("boris") is None
    now[0] = 159
    assert known.get("anna") == Known("user", 1)
    now[0] = 160
    assert known.get("anna") is None


def test_it_does_not_grow_without_bound() -> None:
    known = Refused[str](most=3)
    for who in "abcde":
        known.note(who, "chat", 60)
    assert [known.get(who) is not None for who in "abcde"] == [False, False, True, True, True]
    known.note("c", "chat", 60)
    known.note("f", "chat", 60)
    assert [known.get(who) is not None for who in "cdef"] == [True, False, True, True]
    known.clear()
    assert known.get("f") is None
