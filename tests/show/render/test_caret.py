"""A place in a query, shown with a caret."""

from __future__ import annotations

import pytest

from k8sidx.show.render.caret import caret_lines


@pytest.mark.parametrize(
    ("text", "line", "column", "shown", "caret"),
    [
        ("stats foo", 1, 7, "  stats foo", "        ^"),
        ("a\n| b", 2, 3, "  | b", "    ^"),
        ("a", 1, 2, "  a", "   ^"),
        ("\x1b[2Jx y", 1, 7, "  \\x1b[2Jx y", "           ^"),
        ("日本 x", 1, 4, "  日本 x", "       ^"),
        ("\tx\r\n", 1, 2, "   x", "   ^"),
    ],
)
def test_the_caret_stands_under_the_column(
    text: str, line: int, column: int, shown: str, caret: str
) -> None:
    assert caret_lines(text, line, column, 80) == (shown, caret)


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    both = caret_lines(f"{'a' * 300}X{'b' * 300}", 1, 301, 60)
    assert both is not None
    shown, caret = both
    assert shown[caret.index("^")] == "X"
    assert len(shown) <= 60
    assert (shown[2], shown[-1]) == ("…", "…")


def test_without_such_a_line_nothing_is_shown() -> None:
    assert caret_lines("a", 2, 1, 80) is None
