"""Rows as bars: over time, or a bar a row; safe, and readable without block characters."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from k8sidx.backends.result import Value
from k8sidx.errors import UsageError
from k8sidx.show.render.bar_chart import print_bars
from k8sidx.show.render.sheet import Sheet

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def drawn(
    columns: tuple[str, ...],
    rows: list[tuple[Value, ...]],
    *,
    width: int = 60,
    encoding: str = "utf-8",
    keys: int | None = None,
    number: str = "",
) -> list[str]:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    console = Console(file=stream, width=width, color_system=None)
    print_bars(console, Sheet(columns, rows), keys=keys, number=number)
    stream.seek(0)
    return stream.read().splitlines()


def test_a_bar_is_as_long_as_its_number_and_the_number_stands_right() -> None:
    heading, alice, bob, carol = drawn(
        ("user.username", "n"), [("alice", 1000), ("bob", 500), ("carol", 1)], width=40
    )
    assert heading.split() == ["user.username", "n"]
    assert alice.count("█") == 2 * bob.count("█")
    assert "▏" in carol
    assert [line[-6:] for line in (alice, bob, carol)] == [" 1,000", "   500", "     1"]


def test_every_line_fits_the_terminal() -> None:
    rows: list[tuple[Value, ...]] = [("x" * 300, 5), ("日本" * 40, 3)]
    for width in (40, 60, 200):
        assert all(len(line) <= width for line in drawn(("who", "n"), rows, width=width))


def test_the_last_column_of_numbers_is_drawn_and_the_columns_before_it_are_labels() -> None:
    lines = drawn(
        ("responseStatus.code", "verb", "first", "n"),
        [(403, "list", 9_000, 4), (1404, "get", 1, 2)],
    )
    assert lines[0].split() == ["responseStatus.code", "verb", "n"]
    assert lines[2].split()[:2] == ["1404", "get"]
    assert drawn(("responseStatus.code", "n"), [(403, 4)])[1].split()[0] == "403"


def test_keys_that_are_known_are_the_labels_and_the_first_number_behind_is_drawn() -> None:
    rows: list[tuple[Value, ...]] = [(403, "list", 9, 4), (401, "get", 1, 2)]
    columns = ("code", "verb", "n", "users")
    assert drawn(columns, rows, keys=2)[1].split()[::3] == ["403", "9"]
    assert drawn(columns, rows, keys=2, number="users")[0].split() == ["code", "verb", "users"]
    assert drawn(columns, rows, keys=2, number="verb")[0].split() == ["code", "verb", "n"]


def test_a_number_alone_is_a_bar_alone() -> None:
    assert "█" in drawn(("count(*)",), [(7,)])[1]


def test_times_come_in_order_and_empty_intervals_are_seen() -> None:
    rows: list[tuple[Value, ...]] = [(NOON + HOUR * at, at + 1) for at in (3, 0, 1, 20)]
    labels = [line[:20].strip() for line in drawn(("bin(1h)", "n"), rows)[1:]]
    assert labels == [
        "2024-05-01 12:00Z",
        "2024-05-01 13:00Z",
        "2024-05-01 14:00Z",
        "2024-05-01 15:00Z",
        "(16 intervals withou",
        "2024-05-02 08:00Z",
    ]


def test_a_second_key_makes_a_row_each_under_its_time() -> None:
    rows: list[tuple[Value, ...]] = [
        (NOON, 401, 2), (NOON, 403, 5), (NOON + HOUR, 403, 1), (None, 403, 9)
    ]  # fmt: skip
    lines = [line.split("  ") for line in drawn(("bin(1h)", "code", "n"), rows)[1:]]
    assert [line[0] for line in lines] == [
        "2024-05-01 12:00Z",
        "",
        "2024-05-01 13:00Z",
        "(missing)",
    ]


def test_months_have_no_gaps_to_fill() -> None:
    months: list[tuple[Value, ...]] = [
        (datetime(2024, month, 1, tzinfo=UTC), month) for month in (1, 2, 3, 7)
    ]
    assert len(drawn(("bin(1mo)", "n"), months)) == 5


def test_negative_numbers_grow_to_the_left_of_the_others() -> None:
    _, up, down, none = drawn(("k", "n"), [("up", 10), ("down", -10), ("none", 0)])
    assert up.index("█") > down.rindex("█")
    assert "█" not in none


def test_missing_numbers_have_no_bar_and_missing_keys_say_so() -> None:
    lines = drawn(("k", "n"), [("a", None), (None, 3)])
    assert lines[1].strip() == "a"
    assert lines[2].startswith("(missing)")


@pytest.mark.parametrize("value", [1.7e308, 5e-324, 2**70, 0, -1.7e308])
def test_numbers_of_any_size_are_drawn(value: float) -> None:
    assert len(drawn(("k", "n"), [("a", value), ("b", -value), ("c", 1)])) == 4


def test_an_encoding_without_blocks_gets_plain_characters() -> None:
    lines = drawn(("k", "n"), [("a", 3), ("b" * 90, -1)], encoding="ascii")
    assert "#" in lines[1]
    assert all(line.isascii() and "\\" not in line for line in lines)


def test_what_a_client_wrote_steers_no_terminal() -> None:
    text = "\n".join(drawn(("a\x1b", "n"), [("evil\x1b[2J\u202e\n", 1)], width=90))
    assert "evil\\x1b[2J\\u202e\\n" in text
    assert not any(one in text for one in "\x1b\u202e")


def test_without_numbers_there_is_nothing_to_draw() -> None:
    with pytest.raises(UsageError, match=r"no column of numbers.*verb.*stats count"):
        drawn(("verb",), [("get",)])
