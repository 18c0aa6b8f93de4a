"""Caret under a position of a text, as compilers print it."""

from __future__ import annotations

from rich.cells import cell_len

from k8sidx.show.render.escape import visible

_MARGIN = "  "
_CUT = "…"


def caret_lines(text: str, line: int, column: int, width: int) -> tuple[str, str] | None:
    """Return the line, and one with a caret under the column; ``None`` if there is no such line.

    Unprintable characters are escaped, with the caret at the start of the escape. If the line
    is wider than the terminal, the part around the caret is returned.

    :param line: 1-based.
    :param column: 1-based, in characters.
    """
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return None
    written = lines[line - 1].replace("\t", " ").removesuffix("\r")
    shown, position = visible(written), len(visible(written[: max(column - 1, 0)]))
    room = max(width - len(_MARGIN) - 2 * len(_CUT), 20)
    start = max(0, min(position - room // 2, len(shown) - room))
    left = _CUT if start else ""
    right = _CUT if start + room < len(shown) else ""
    blank = " " * cell_len(left + shown[start:position])
    return f"{_MARGIN}{left}{shown[start : start + room]}{right}", f"{_MARGIN}{blank}^"
