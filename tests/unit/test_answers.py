"""How the benchmark of the embedded model's answers counts."""

from __future__ import annotations

import pytest

from benchmarks.answers import Count, loops, questions


def test_there_are_forty_questions_each_once() -> None:
    asked = questions()
    assert len({question.ask for question in asked}) == len(asked) == 40


@pytest.mark.parametrize(
    ("answer", "right"), [("It has Eight legs.", True), ("8", True), ("Eighteen, or 18.", False), ("Six.", False)]
)
def test_an_answer_is_right_by_its_pattern(answer: str, right: bool) -> None:
    (spider,) = [question for question in questions() if "spider" in question.ask]
    assert spider.judge(answer) is right


@pytest.mark.parametrize(
    ("answer", "loop"),
    [
        ("The river is long. The river is long. The river is long.", True),
        ("It begins. " + "And so it goes on and on, " * 3, True),
        ("1. A big red apple\n2. A big red apple\n3. A big red apple\n4. A big red apple", False),
        ("A big red apple, a big red apple, a big red apple", True),
        ("Row, row, row your boat, ha ha ha ha ha ha", False),
        ("The river is long. The river is long. The sea is wide.", False),
        ("", False),
    ],
)
def test_a_loop_is_the_same_words_three_times_in_a_row(answer: str, loop: bool) -> None:
    assert loops(answer) is loop


def test_counting(capsys: pytest.CaptureFixture[str]) -> None:
    first, *_ = questions()
    count = Count()
    count.add(first, "Paris is the capital.")
    count.add(first, "Lyon. " * 12)
    assert (count.right, count.wrong, count.loops) == (1, 1, 1)
    assert "Lyon" in capsys.readouterr().out
