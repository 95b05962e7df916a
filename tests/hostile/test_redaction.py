"""Texts that are made to hold up the redaction: their cost grows as they do, and stays small at the largest size."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from gptbot.safety.normalize import normalize
from gptbot.safety.redaction import Redactor
from tests.hostile.growth import least

LARGEST = 17_000  # characters: a text file that is cut
REDACTOR = Redactor(("email", "phone", "card", "iban", "ip", "passport", "taxid", "secret"))
HINT = "@1 "
"""Without a sign of personal data a text comes back at once."""
MOST_GROWTH = 3.0
"""Of the cost for twice the size: linear is 2, quadratic is 4."""
MOST_SECONDS = 0.5
"""Ten times what is aimed at: the machine may be slow."""
SMALL = 0.004
"""Seconds that are too few to tell growth from noise."""

REPEATED = [
    "1-", "a-b_", "1 ", "4 ", "a.", "+7 ", "8 916 ", "4111 ", "ab12 ", "de12 ", "1:", "(1", "1.1.1.1 ", "v 1.1.1.1 ",
    "тел 123 45 67 ", "a@", "a@a.", "a+a+", "a (at) ", "2001:db8:", "45 12 123456 ", "паспорт 45 12 123456 ",
    "инн 500100732259 ", "123-456-789 00 ", "8 (916) 123-45-67 ", "key=", "bearer ", "mysql -p ", "login ", "_",
    "-----BEGIN ", "-----BEGIN A PRIVATE KEY-----", "://a:", "eyJaaaaaaaa.", "pass: x ", "&#64;", "&#", "%40", "%25",
    "１", "٣\u0301", "1_", "1/", "1\t", "1\n", "1—", "+1   1   1   1   1   1   1x", "100.200.100.200 ",
    "4111 1111\n1111 1111\n", "+7 (916)\n123-45-67\n", "a@\n", "a@a.\n", "a . ", "a @ ", "1 : ", "( 1 ) ",
    "\n> ", "a> \n> > ", "sk-a1\n", "key=a1\n", "2001:\n",
]  # fmt: skip
BEGINNINGS = ["password", "secret", "key", "pass", "bearer", "a@", "-----BEGIN ", "тел", "+7", "é"]
FILLINGS = [" ", "a", "1", "-", "\n", "\t", "1 ", "\u0316\u0301"]
PILES = ["\u0316\u0301", "\u0316\ufe00\u0301", "\u0316\u200d\u0301", "\u0f73", " \n", "\n "]


def seconds(work: Callable[[str], str], text: str) -> float:
    """CPU time of this thread, the least of three tries."""
    return least(lambda: work(text))


def check(work: Callable[[str], str], make: Callable[[int], str]) -> None:
    """Fail for growth above linear or a cost above the bound that are still there in the third measurement."""
    measured = [(0.0, 0.0, 0.0)]
    for _ in range(3):
        quarter, half, whole = (seconds(work, make(LARGEST // part)) for part in (4, 2, 1))
        grows = whole > SMALL and whole > half * MOST_GROWTH and half > quarter * MOST_GROWTH
        if not grows and whole < MOST_SECONDS:
            return
        measured.append((quarter, half, whole))
    raise AssertionError(f"{measured[-1]} s for a quarter, half and all of {make(40)!r}…")


@pytest.mark.parametrize("unit", REPEATED)
def test_redaction_of_repeats_is_linear(unit: str) -> None:
    check(REDACTOR.redact, lambda size: HINT + (unit * (size // len(unit) + 1))[:size])


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_redaction_of_long_runs_is_linear(beginning: str) -> None:
    for filling in FILLINGS:
        check(REDACTOR.redact, lambda size, filling=filling: HINT + beginning + (filling * size)[:size] + "x")


@pytest.mark.parametrize(
    ("one", "other"), list(product(["password ", "+7 916 ", "4 ", "a@a."], ["1-", "\t", "é", "v 1.1."]))
)
def test_redaction_of_pairs_is_linear(one: str, other: str) -> None:
    check(REDACTOR.redact, lambda size: ((one + other) * size)[:size])


@pytest.mark.parametrize("pile", PILES)
def test_normalisation_is_linear(pile: str) -> None:
    check(normalize, lambda size: "é" + (pile * size)[: size * 4] + "x")


def test_normalisation_of_white_space_is_linear() -> None:
    check(normalize, lambda size: "é" + " " * size * 4 + "x")
