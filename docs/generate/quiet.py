"""Findings of the library in a day of ordinary work, for the page of the hunts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from k8sidx.backends.open import temporary_store
from k8sidx.generate.log import Log, Wanted
from k8sidx.generate.write import write_lines
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.required_fields import required_fields
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.shipping.pipeline import ShipOptions, ship
from tests.places import EXAMPLES, write_database

EVENTS = 20_000
HOURS = 24


def judged_ordinary_work() -> list[HuntResult]:
    """Return the results of the library, without streams, over a generated log without attacks,
    with a database of the places of its addresses."""
    hunts = [hunt for hunt in load_library() if not hunt.stream]
    start = datetime(2026, 11, 23, tzinfo=UTC)
    log = Log(Wanted(EVENTS, None, 1, start, timedelta(hours=HOURS), 12, ()))
    with TemporaryDirectory() as folder, temporary_store(required_fields(hunts)) as store:
        path = Path(folder, "audit.log")
        write_lines(log.lines(), str(path))
        database = write_database(Path(folder, "places.mmdb"), EXAMPLES)
        ship([str(path)], store, ShipOptions(address_databases=(database,)))
        with store.engine() as engine:
            return run_hunts(hunts, engine, Window())
