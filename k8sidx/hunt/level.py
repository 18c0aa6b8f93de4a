"""Sigma's levels in order."""

from __future__ import annotations

LEVELS = ("informational", "low", "medium", "high", "critical")
"""The least urgent first."""


def urgency(level: str) -> int:
    """0 for informational up to 4 for critical; a level that Sigma does not know is low."""
    return LEVELS.index(level) if level in LEVELS else 1
