"""The library over everything that it is judged by."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.result import Finding
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.shipping.pipeline import ShipOptions, ship
from tests.judge.cases import Verdict, judged, load_cases
from tests.judge.engines import embedded, on_cluster, tagged
from tests.judge.recorded import Sighting, attack_time, load_scenarios, recorded_log, sightings
from tests.servers.find import address_variable
from tests.servers.start import VERSIONS


def judge_cases(hunts: Sequence[Hunt], folder: Path) -> Iterator[tuple[str, list[Verdict]]]:
    """The verdict on each public case, engine by engine.

    The embedded one, and every cluster whose address the environment gives as the tests of
    clusters take it (``K8SIDX_TEST_OPENSEARCH`` and so on).
    """
    cases = load_cases()
    events = tagged({one.id: one.events for one in cases})
    with embedded(folder / "cases", events) as engine:
        yield "DuckDB", judged(cases, hunts, engine)
    for address in filter(None, (os.environ.get(address_variable(name)) for name in VERSIONS)):
        cluster = open_cluster(address)
        with on_cluster(cluster, events) as engine:
            version = ".".join(map(str, cluster.version))
            yield f"{cluster.product} {version}", judged(cases, hunts, engine)
        cluster.close()


def judge_alone(hunts: Sequence[Hunt], folder: Path) -> list[Sighting]:
    """What is seen of each recorded attack by itself."""
    with _recorded(folder / "alone", "attacks") as engine:
        return sightings(load_scenarios(), run_hunts(hunts, engine, Window()))


def judge_among_others(hunts: Sequence[Hunt], folder: Path) -> list[Sighting]:
    """What is seen of each recorded attack with ordinary work before it."""
    with _recorded(folder / "attacks", "baseline", "attacks") as engine:
        return sightings(load_scenarios(), run_hunts(hunts, engine, attack_time()))


def judge_quiet(hunts: Sequence[Hunt], folder: Path) -> list[Finding]:
    """What ordinary work sets off."""
    with _recorded(folder / "quiet", "baseline") as engine:
        return [one for result in run_hunts(hunts, engine, Window()) for one in result.findings]


@contextmanager
def _recorded(folder: Path, *names: str) -> Iterator[DuckDBEngine]:
    """Recorded logs, shipped to a store."""
    store = EmbeddedStore(folder)
    ship([str(recorded_log(name)) for name in names], store, ShipOptions(processes=1))
    with store.engine() as engine:
        yield engine
