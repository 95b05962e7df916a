"""Every kind of value that is redacted, broken by a line end or by spaces at each of its places."""

from __future__ import annotations

import pytest

from gptbot.safety.normalize import normalize
from gptbot.safety.redaction import _KINDS, Redactor
from tests.hostile.breaks import WHOLE, Whole, broken

REDACTOR = Redactor(_KINDS)


def test_every_kind_has_values_that_break() -> None:
    assert {value.kind for value in WHOLE.values()} == set(_KINDS)


@pytest.mark.parametrize("name", WHOLE)
def test_no_break_hides_a_value(name: str) -> None:
    forms = broken(WHOLE[name])
    assert forms
    faults = [f"{form!a}: {got!a}" for form in forms if (got := _redacted(WHOLE[name], form)) != _expected(WHOLE[name])]
    assert not faults, "\n".join(faults)


def test_values_that_are_broken_on_lines_that_follow_each_other_all_go() -> None:
    text = "+7 (916)\n123-45-67\n8 (495)\n765-43-21\n4111 1111\n1111 1111\nanna@\nexample.com"
    assert REDACTOR.redact(text) == "[phone]\n[phone]\n[card]\n[email]"


def test_a_value_in_a_quoted_mail_goes() -> None:
    assert REDACTOR.redact("> my number is +7 (916)\n> 123-45-67, call me") == "> my number is [phone], call me"


def _redacted(value: Whole, form: str) -> str:
    return REDACTOR.redact(normalize(f"{value.before}{form}{value.after}"))


def _expected(value: Whole) -> str:
    return normalize(f"{value.before}[{value.kind}]{value.after}")
