"""Nothing that strangers write costs more than linear time."""

from __future__ import annotations

import pytest

from tests.hostile.growth import worst
from tests.hostile.readers import Reader, readers

_PAIRS = 100


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_cost_grows_with_the_length_and_no_faster(reader: Reader) -> None:
    found = worst(reader.call, reader.largest, reader.hostile(_PAIRS))
    grown = [str(growth) for growth in found if growth.ratio > reader.growth]
    assert not grown, "\n".join([f"{reader.name}, {reader.largest} characters at most", *grown])
