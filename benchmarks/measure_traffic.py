"""What ordinary work in a cluster looks like: measured from the demo's recorded log.

The first stretch of the demo's log is 18 minutes of ordinary work on a real API server: three
nodes, the control plane, operators, CI and six people. Requests that agree in who asked for
what with which result are one kind. Of each kind the model keeps one request whole, as the
API server wrote it, when each of its requests began, and how long each took. It is written
to ``k8sidx/generate/traffic.ndjson.zst``, a kind a line, for ``k8sidx generate``.

    python benchmarks/measure_traffic.py
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "demo" / "audit.ndjson.zst"
MODEL = ROOT / "k8sidx" / "generate" / "traffic.ndjson.zst"
BEGINS = datetime(2026, 11, 23, 20, 27, 30, tzinfo=UTC)
ENDS = datetime(2026, 11, 23, 20, 46, tzinfo=UTC)
"""What was completed from then on is not ordinary work alone."""

MICROSECOND = timedelta(microseconds=1)
_SUFFIX = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}(?=$|[.])|-[0-9a-f]{6,10}\b|[0-9]{4,}")
Event = dict[str, Any]


def ordinary_requests() -> list[list[Event]]:
    """The events of each request, in the order of their stages."""
    with DEMO.open("rb") as file:
        lines = zstandard.ZstdDecompressor().stream_reader(file).read().splitlines()
    requests: dict[str, list[Event]] = defaultdict(list)
    for line in lines:
        event: Event = json.loads(line)
        if moment(event, "stageTimestamp") < ENDS:
            requests[event["auditID"]].append(event)
    return list(requests.values())


def kind_of(request: list[Event]) -> tuple[object, ...]:
    """What requests of one kind have in common; names without what is made up for each."""
    event = request[-1]
    reference = event.get("objectRef", {})
    path = "" if reference else event["requestURI"].partition("?")[0]
    return (
        event["user"].get("username"),
        event.get("userAgent"),
        tuple(event.get("sourceIPs", ())),
        event["verb"],
        path,
        reference.get("resource"),
        reference.get("subresource"),
        reference.get("namespace"),
        _SUFFIX.sub("", reference.get("name", "")),
        event.get("responseStatus", {}).get("code"),
        tuple((one["stage"], one["level"]) for one in request),
    )


def moment(event: Event, name: str) -> datetime:
    return datetime.fromisoformat(event[name])


def main() -> None:
    requests = ordinary_requests()
    length = (ENDS - BEGINS) // MICROSECOND
    kinds: dict[tuple[object, ...], list[list[Event]]] = defaultdict(list)
    for request in requests:
        kinds[kind_of(request)].append(request)
    header = {
        "source": "demo/audit.ndjson.zst, its ordinary work; made by benchmarks/measure_traffic.py",
        "microseconds": length,
        "events": sum(map(len, requests)),
        "requests": len(requests),
        "kinds": len(kinds),
    }
    lines = [header]
    for members in kinds.values():
        by_size = sorted(members, key=lambda request: len(json.dumps(request)))
        starts = [moment(one[0], "requestReceivedTimestamp") for one in members]
        took = [
            [(moment(event, "stageTimestamp") - start) // MICROSECOND for event in request]
            for request, start in zip(members, starts, strict=True)
        ]
        lines.append(
            {
                # Watches that had begun before are taken to begin within the time.
                "began": [(start - BEGINS) // MICROSECOND % length for start in starts],
                "took": took,
                "events": by_size[len(by_size) // 2],
            }
        )
    text = "".join(
        json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines
    )
    MODEL.write_bytes(zstandard.ZstdCompressor(level=19).compress(text.encode()))
    print(f"{header}; {len(text):,} bytes, {MODEL.stat().st_size:,} packed")


if __name__ == "__main__":
    main()
