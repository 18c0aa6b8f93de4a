"""Sigma levels in order."""

from __future__ import annotations

LEVELS = ("informational", "low", "medium", "high", "critical")
"""The least urgent first."""


def urgency(level: str) -> int:
    """Return 0 for informational up to 4 for critical; levels unknown to Sigma count as low."""
    return LEVELS.index(level) if level in LEVELS else 1
