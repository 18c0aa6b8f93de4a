"""Widths of table columns, in pixels.

A dashboard's grid has 48 columns. The narrowest screen that a dashboard has to fit is a laptop's,
1,280 pixels wide. Both products cut off the text of a column that is too narrow, and hide the
last columns of a table that is too wide until somebody scrolls sideways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8sidx.events.fields.names import MESSAGE, TIMESTAMP
from k8sidx.show.panels.panel import WIDTH

SCREEN = 1_280
"""Width of the narrowest screen."""
_MARGIN = 32
"""Left and right padding of a panel, and its scroll bar."""

_BY_FIELD = {
    # As long as system:serviceaccount:kube-system:generic-garbage-collector.
    "user.effective.name": 330,
    "user.username": 330,
    "finding.actor": 330,
    "impersonatedUser.username": 330,
    "user.effective.namespace": 110,
    "user.effective.account": 170,
    "user.kind": 104,
    "verb": 104,
    "target.resource": 150,
    "target.name": 170,
    "objectRef.namespace": 110,
    "responseStatus.code": 48,
    "responseStatus.reason": 130,
    "requestURI": 300,
    "userAgent": 220,
    "user_agent.name": 110,
    "source.ip": 110,
    "source.claimed_ip": 120,
    "rule.id": 190,
    "rule.level": 90,
    "finding.query": 90,
    "orchestrator.cluster.name": 120,
    "event.provider": 110,
    # A sentence with its object; the longest go on in a second line.
    "message": 420,
    "exec.command_line": 250,
    "pod.images": 260,
    "pod.host_paths": 200,
    "rbac.role": 120,
    "rbac.subjects": 220,
    "level": 120,
    "stage": 140,
}
_BY_TYPE = {"date": 112, "number": 70, "boolean": 70, "ip": 110}
_TEXT = 140
_COUNT = 70


def column_width(field: str, kind: str, heading: str = "") -> int:
    """Return the width that a column needs.

    :param field: path; empty for a count.
    :param kind: its type in index patterns.
    :param heading: text over the column, which has to fit as well.
    """
    width = _BY_FIELD.get(field) or (_BY_TYPE.get(kind, _TEXT) if field else _COUNT)
    return max(width, 18 + 7 * len(heading))


_FLEXIBLE = frozenset(
    {
        "user.effective.name",
        "user.effective.account",
        "user.username",
        "finding.actor",
        "impersonatedUser.username",
        "target.name",
        "requestURI",
        "userAgent",
        "rule.id",
        "exec.command_line",
        "pod.images",
        "pod.host_paths",
        "rbac.subjects",
        "annotations.pod-security.kubernetes.io/audit-violations",
    }
)
"""Columns that share the room which the others leave: names can be of any length."""


def fixed_widths(fields: Sequence[tuple[str, str, str]]) -> dict[int, int]:
    """Return the widths of the columns that should not grow with the screen, by position.

    :param fields: path, type and heading of each column.
    """
    if not any(field in _FLEXIBLE for field, _, _ in fields):
        return {}
    return {
        at: column_width(*column) for at, column in enumerate(fields) if column[0] not in _FLEXIBLE
    }


def stream_columns(fields: Sequence[str], kinds: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return path, type and heading of the columns of a saved search: the time, then its own.

    :param kinds: types in index patterns by path.
    """
    own = [field for field in fields if field != TIMESTAMP]
    return [(TIMESTAMP, "date", "Time")] + [(f, kinds.get(f, "string"), f) for f in own]


def stream_widths(columns: Sequence[tuple[str, str, str]]) -> dict[str, int]:
    """Return the widths of a saved search's columns by field; the sentence has the rest."""
    return {column[0]: column_width(*column) for column in columns if column[0] != MESSAGE}


def panel_width(columns: int) -> int:
    """Return the pixels of a panel that is so many columns of the grid wide."""
    return SCREEN * columns // WIDTH - _MARGIN


def too_wide(widths: Mapping[str, int], columns: int) -> str:
    """Return the columns that do not fit into a panel, or an empty text.

    :param widths: needs by heading, in the order of the columns.
    """
    room = panel_width(columns)
    hidden = []
    for heading, width in widths.items():
        room -= width
        if room < 0:
            hidden.append(heading)
    return ", ".join(hidden)
