"""Log of the demo: 30,077 events of a real API server, with attacks at its end."""

from __future__ import annotations

from pathlib import Path

import zstandard

DEMO = Path(__file__).parents[1] / "demo" / "audit.ndjson.zst"


def demo_lines() -> list[bytes]:
    """Return its lines, one event each, without line breaks."""
    with DEMO.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read().splitlines()
