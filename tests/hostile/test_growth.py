"""Nothing that strangers write costs more than linear time."""

from __future__ import annotations

import re

import pytest

from tests.hostile.growth import MOST_GROWTH, worst
from tests.hostile.inputs import hostile
from tests.hostile.readers import Reader, readers

_PAIRS = 24
"""Of fragments, at each reader; `make bench-hostile` tries all of them."""


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_cost_grows_with_the_length_and_no_faster(reader: Reader) -> None:
    found = worst(reader.call, reader.largest, reader.hostile(_PAIRS), reader.growth)
    grown = [str(growth) for growth in found if growth.ratio > reader.growth]
    assert not grown, "\n".join([f"{reader.name}, {reader.largest} characters at most", *grown])


def test_what_is_quadratic_is_found() -> None:
    quadratic, linear = re.compile("x*y"), re.compile("x*y?")
    inputs = list(hostile([["x", "z"]], None))
    found = worst(quadratic.search, 16_000, inputs)
    assert [growth for growth in found if growth.ratio > MOST_GROWTH]
    found = worst(lambda text: [linear.findall(text) for _ in range(3)], 40_000, inputs)
    assert not [growth for growth in found if growth.ratio > MOST_GROWTH]
