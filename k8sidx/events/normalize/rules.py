"""Version of the rules by which events are redacted and identified."""

RULES = 5
"""Version 1 was the first to be noted. A change that gives events other ids, or replaces more of
their values, increments it: stores are then migrated (docs/secrets.md)."""
