"""Names of the fields that code refers to in many places."""

from __future__ import annotations

from typing import Final

TIMESTAMP: Final = "@timestamp"
"""When the event happened; see the field table for what it is derived from."""
EVENT_ID: Final = "event.id"
"""Digest of the redacted event: the same event has the same id in every store."""
AUDIT_ID: Final = "auditID"
"""The API server's id of the request; its stages share it."""
MESSAGE: Final = "message"
"""The one-line summary of the event."""
