"""Coverage of ATT&CK matrices as a sheet and as lines."""

from __future__ import annotations

from collections.abc import Sequence

from k8sidx.backends.result import Value
from k8sidx.hunt.attack.coverage import MatrixEntry
from k8sidx.show.render.sheet import Sheet

COLUMNS = ("matrix", "tactic", "id", "technique", "hunts", "which", "remark")


def coverage_sheet(covered: Sequence[MatrixEntry]) -> Sheet:
    """Return one row per technique and tactic."""
    rows: list[tuple[Value, ...]] = [
        (entry.matrix, entry.tactic, entry.id, entry.name, len(entry.hunts),
         ", ".join(entry.hunts), entry.remark if not entry.hunts else "")
        for entry in covered
    ]  # fmt: skip
    return Sheet(COLUMNS, rows, "Coverage")


def coverage_lines(covered: Sequence[MatrixEntry]) -> list[str]:
    """Return a line per matrix: ``ATT&CK Containers: 36 of 45 techniques are looked for; …``."""
    lines = []
    for matrix in dict.fromkeys(entry.matrix for entry in covered):
        techniques = {entry.id: entry for entry in covered if entry.matrix == matrix}
        looked_for = sum(1 for entry in techniques.values() if entry.hunts)
        beyond = sum(1 for entry in techniques.values() if not entry.hunts and entry.remark)
        lines.append(
            f"{matrix}: {looked_for} of {len(techniques)} techniques are looked for; "
            f"{beyond} are not in audit logs"
        )
    return lines
