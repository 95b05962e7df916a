"""The count itself: each broken promise is seen."""

from __future__ import annotations

from tests.chaos.tally import FEW, Answer, Tally, Trouble, table, tag

ASKED = [tag(7, number) for number in range(3)]


def answers(*names: str) -> list[Answer]:
    return [Answer(10 + place, f"You said: {name}", 1000.0 + place) for place, name in enumerate(names)]


def tally(*names: str, troubles: tuple[Trouble, ...] = ()) -> Tally:
    found = Tally()
    found.add(ASKED, answers(*names), troubles)
    return found


def test_all_is_well() -> None:
    found = tally(*ASKED)
    assert (found.questions, found.lost, found.doubled, found.out_of_order) == (3, [], [], [])


def test_a_question_without_an_answer_is_lost() -> None:
    assert tally(ASKED[0], ASKED[2]).lost == [ASKED[1]]


def test_answers_the_other_way_round_are_out_of_order() -> None:
    found = tally(ASKED[1], ASKED[0], ASKED[2])
    assert found.out_of_order == [ASKED[0]]
    assert found.lost == []


def test_an_answer_in_two_messages_is_doubled() -> None:
    found = tally(ASKED[0], ASKED[0], ASKED[1], ASKED[2])
    assert found.doubled == [ASKED[0]]
    assert found.unexplained == [ASKED[0]]


def test_a_trouble_at_the_time_of_the_first_message_explains_the_second() -> None:
    near, far = Trouble("cut", 1000.5, 1000.6, unknown=True), Trouble("cut", 1010.0, 1011.0, unknown=True)
    other = Trouble("model cut", 1000.5, 1000.6)
    names = (ASKED[0], ASKED[0], ASKED[1], ASKED[2])
    assert tally(*names, troubles=(near,)).unexplained == []
    assert tally(*names, troubles=(far, other)).unexplained == [ASKED[0]]


def test_a_message_that_answers_nothing_is_one_too_many() -> None:
    assert tally(ASKED[0], "half an", ASKED[1], ASKED[2]).doubled == [""]


def test_a_late_double_is_not_out_of_order() -> None:
    found = tally(*ASKED, ASKED[0])
    assert found.out_of_order == []
    assert found.doubled == [ASKED[0]]


def test_questions_answered_together_are_each_answered_once() -> None:
    found = tally(ASKED[0], f"{ASKED[1]} {ASKED[2]}")
    assert (found.lost, found.doubled, found.out_of_order, found.merged) == ([], [], [], 1)


def test_a_question_answered_alone_and_again_with_another_is_doubled() -> None:
    assert tally(ASKED[0], ASKED[1], f"{ASKED[1]} {ASKED[2]}").doubled == [ASKED[1]]


def test_questions_answered_together_the_other_way_round_are_out_of_order() -> None:
    assert tally(ASKED[0], f"{ASKED[2]} {ASKED[1]}").out_of_order == [ASKED[1]]


def test_only_a_platform_that_may_double_may_double() -> None:
    trouble = Trouble("cut", 1000.0, 1001.0, unknown=True)
    found = tally(ASKED[0], *ASKED, troubles=(trouble,))
    assert found.broken(may_double=True) == {}
    assert found.broken(may_double=False) == {"doubled": [ASKED[0]]}
    found = tally(ASKED[1], ASKED[0], ASKED[0])
    assert found.broken(may_double=True) == {
        "lost": [ASKED[2]], "out of order": [ASKED[0]], "doubled without a reason": [ASKED[0]],
    }  # fmt: skip


def test_more_than_a_few_doubled_ones_are_too_many_anywhere() -> None:
    trouble = Trouble("cut", 1000.0, 1010.0, unknown=True)
    few, many = (tally(*ASKED, *ASKED[:FEW], *more, troubles=(trouble,)) for more in ((), ASKED[FEW:]))
    assert few.broken(may_double=True) == {}
    assert many.broken(may_double=True) == {"doubled": ASKED}


def test_the_table_names_all_sums() -> None:
    lines = table({"telegram": tally(ASKED[1], ASKED[0], ASKED[0])}).splitlines()
    assert lines[0].split() == ["questions", "merged", "lost", "doubled", "(unexplained)", "out", "of", "order"]
    assert lines[1].split() == ["telegram", "3", "0", "1", "1", "1", "1"]
