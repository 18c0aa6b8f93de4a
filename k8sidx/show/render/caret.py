"""A place in a text, shown under its line with a caret."""

from __future__ import annotations

from rich.cells import cell_len

from k8sidx.show.render.escape import visible

_MARGIN = "  "
_CUT = "…"


def pointed(text: str, line: int, column: int, width: int) -> tuple[str, str] | None:
    """The line, and another with a caret under the column; ``None`` without such a line.

    Whatever is not printable is an escape, and the caret stands where that begins. Of a line
    that is wider than the terminal, the part around the caret is shown.

    :param line: 1-based.
    :param column: 1-based, in characters.
    """
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return None
    written = lines[line - 1].replace("\t", " ").removesuffix("\r")
    shown, at = visible(written), len(visible(written[: max(column - 1, 0)]))
    room = max(width - len(_MARGIN) - 2 * len(_CUT), 20)
    start = max(0, min(at - room // 2, len(shown) - room))
    left = _CUT if start else ""
    right = _CUT if start + room < len(shown) else ""
    blank = " " * cell_len(left + shown[start:at])
    return f"{_MARGIN}{left}{shown[start : start + room]}{right}", f"{_MARGIN}{blank}^"
