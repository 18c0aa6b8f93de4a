"""Colours of values that mean good or bad: one colour, one meaning, on every dashboard.

The colours of one field differ for people with any colour vision, and stand out from a white
and from a dark background; tests/show/panels/test_colors.py measures both.
"""

from __future__ import annotations

from collections.abc import Mapping

GOOD = "#4A9BE8"
BAD = "#E0601A"
BROKEN = "#8226AC"
NEUTRAL = "#8A929C"

MISSING = "none"
"""Label of events without the field."""

_CODES = {
    "1": (NEUTRAL, ("101",)),
    "2": (GOOD, ("200", "201", "202", "204")),
    "3": (NEUTRAL, ("301", "302", "304", "307")),
    "4": (
        BAD,
        ("400", "401", "403", "404", "405", "406", "409", "410", "413", "415", "422", "429"),
    ),
    "5": (BROKEN, ("500", "501", "502", "503", "504")),
}
"""Status codes that an API server answers with, by class."""

COLORS: Mapping[str, Mapping[str, str]] = {
    "event.outcome": {"success": GOOD, "failure": BAD, "unknown": NEUTRAL},
    "annotations.authorization.k8s.io/decision": {
        "allow": GOOD,
        "forbid": BAD,
        MISSING: NEUTRAL,
    },
    "rule.level": {
        "critical": "#E8166B",
        "high": "#B8480C",
        "medium": "#C9A21A",
        "low": "#3A8FE0",
        "informational": "#9AA1AA",
    },
    "user.kind": {
        "human": GOOD,
        "serviceaccount": "#2F6B5E",
        "node": "#DCB64A",
        "control-plane": "#9128C4",
        "anonymous": "#D4560F",
        "unknown": "#9AA1AA",
    },
    "responseStatus.code": {code: color for color, codes in _CODES.values() for code in codes},
}
"""Colour of each value, by field. Values as a legend shows them."""


def colors_of(field: str) -> Mapping[str, str]:
    """Return the colours of a field's values; empty for a field without good or bad values."""
    return COLORS.get(field, {})
