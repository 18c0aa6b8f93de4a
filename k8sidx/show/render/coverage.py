"""What the library covers of the matrices, as a table and in a line each."""

from __future__ import annotations

from collections.abc import Sequence

from k8sidx.backends.result import Value
from k8sidx.hunt.attack.coverage import Covered
from k8sidx.show.render.sheet import Sheet

COLUMNS = ("matrix", "tactic", "id", "technique", "hunts", "which", "remark")


def coverage_sheet(covered: Sequence[Covered]) -> Sheet:
    """One row for each technique under each of its tactics."""
    rows: list[tuple[Value, ...]] = [
        (one.matrix, one.tactic, one.id, one.name, len(one.hunts), ", ".join(one.hunts),
         one.remark if not one.hunts else "")
        for one in covered
    ]  # fmt: skip
    return Sheet(COLUMNS, rows, "Coverage")


def coverage_lines(covered: Sequence[Covered]) -> list[str]:
    """``ATT&CK Containers: 36 of 45 techniques; 9 are not in audit logs``, a line a matrix."""
    lines = []
    for matrix in dict.fromkeys(one.matrix for one in covered):
        techniques = {one.id: one for one in covered if one.matrix == matrix}
        looked_for = sum(1 for one in techniques.values() if one.hunts)
        beyond = sum(1 for one in techniques.values() if not one.hunts and one.remark)
        lines.append(
            f"{matrix}: {looked_for} of {len(techniques)} techniques are looked for; "
            f"{beyond} are not in audit logs"
        )
    return lines
