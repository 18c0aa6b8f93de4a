"""Findings of the library in ordinary work: a day of it, and an hour on each platform."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from k8sidx.backends.open import temporary_store
from k8sidx.generate.log import Log, Wanted
from k8sidx.generate.platforms import PLATFORMS
from k8sidx.generate.write import write_lines
from k8sidx.hunt.kinds.time_window import CLUSTER
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.required_fields import required_fields
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.shipping.pipeline import ShipOptions, ship
from tests.places import EXAMPLES, write_database

EVENTS = 20_000
HOURS = 24

PLATFORM_EVENTS = 3_000
"""Events of an hour on a platform."""

_MORNING = datetime(2026, 11, 23, 10, tzinfo=UTC)
_PEOPLE = 12


@cache
def judged_ordinary_work() -> list[HuntResult]:
    """Return the results of the library, without streams, over a generated log without attacks,
    with a database of the places of its addresses."""
    start = datetime(2026, 11, 23, tzinfo=UTC)
    log = Log(Wanted(EVENTS, None, 1, start, timedelta(hours=HOURS), _PEOPLE, ()))
    return _judged({"": log})


@cache
def judged_platform_hours() -> dict[str, list[Finding]]:
    """Return the findings of an ordinary hour on each platform, by its name."""
    logs = {
        name: Log(Wanted(PLATFORM_EVENTS, None, 1, _MORNING, timedelta(hours=1), _PEOPLE, (), name))
        for name in PLATFORMS
    }
    findings: dict[str, list[Finding]] = {name: [] for name in PLATFORMS}
    for result in _judged(logs):
        for finding in result.findings:
            findings[str(finding.key[CLUSTER])].append(finding)
    return findings


def _judged(logs: dict[str, Log]) -> list[HuntResult]:
    """Return the results over some logs, each of a cluster of its own name."""
    hunts = [hunt for hunt in load_library() if not hunt.stream]
    with TemporaryDirectory() as folder, temporary_store(required_fields(hunts)) as store:
        database = write_database(Path(folder, "places.mmdb"), EXAMPLES)
        for cluster, log in logs.items():
            path = Path(folder, f"{cluster}.log")
            write_lines(log.lines(), str(path))
            options = ShipOptions(cluster=cluster, address_databases=(database,))
            ship([str(path)], store, options)
        with store.engine() as engine:
            return run_hunts(hunts, engine, Window())
