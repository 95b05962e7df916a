"""Every kind of value that is redacted, in every way to hide it."""

from __future__ import annotations

import pytest

from gptbot.safety.normalize import normalize
from gptbot.safety.redaction import _KINDS, Redactor
from tests.hostile.hiders import VALUES, Hidden, hidden

REDACTOR = Redactor(_KINDS)
HIDDEN = [way for name, value in VALUES.items() for way in hidden(name, value)]


def test_every_kind_has_values_that_hide() -> None:
    assert {value.kind for value in VALUES.values()} == set(_KINDS)


@pytest.mark.parametrize("name", VALUES)
def test_no_way_to_write_a_value_hides_it(name: str) -> None:
    faults = [fault for way in hidden(name, VALUES[name]) if (fault := _fault(way))]
    assert not faults, f"{len(faults)} ways\n" + "\n".join(faults)


def _fault(way: Hidden) -> str | None:
    value = way.value
    for prepare in (str, normalize):  # a file's name or a model's notes come as they are
        redacted = REDACTOR.redact(prepare(f"{value.before}{way.text}{value.after}"))
        if redacted != f"{value.before}[{value.kind}]{value.after}":
            return f"{way.name}: {redacted!a}"
    return None
