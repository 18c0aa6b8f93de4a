"""Sets of row numbers against Python's own sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8sidx.backends.embedded.engine.bitset import NO_ROWS, Bitset

SIZE = 70
ROWS = st.sets(st.integers(0, SIZE - 1))


@given(ROWS, ROWS)
def test_bitset_operations_are_those_of_sets(left: set[int], right: set[int]) -> None:
    one, other = Bitset.of(left, SIZE), Bitset.of(right, SIZE)
    assert set(one & other) == left & right
    assert set(one | other) == left | right
    assert set(one - other) == left - right
    assert bool(one) is bool(left)


@given(ROWS)
def test_bitset_selects_values_by_row(rows: set[int]) -> None:
    values = [f"value {row}" for row in range(SIZE)]
    bitset = Bitset.of(rows, SIZE)
    assert list(bitset) == sorted(rows)
    assert list(bitset.select(values)) == [values[row] for row in sorted(rows)]


def test_bitset_of_all_rows_selects_everything() -> None:
    assert list(Bitset.all(3).select("abc")) == ["a", "b", "c"]
    assert list(NO_ROWS.select("abc")) == []
