"""Rows of two engines side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def alike(found: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]) -> None:
    """Fail unless the rows are the same, in the same order; averages may differ in the last
    digits of a float."""
    assert len(found) == len(wanted)
    for mine, theirs in zip(found, wanted, strict=True):
        assert tuple(map(_near, mine)) == theirs


def _near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
