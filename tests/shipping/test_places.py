"""Places of source addresses, through every way of shipping and every kind of store."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.document import document, stored_fields
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.store import Store
from k8sidx.errors import UsageError
from k8sidx.events.core import VARIABLE
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.normalize.places import PLACES, AddressDatabases
from k8sidx.events.normalize.stored import renormalize
from k8sidx.query.algebra import Compare, Metric, Present, Query, Terms
from k8sidx.shipping.pipeline import ShipOptions, ship
from tests.building import event, normalized, write_log
from tests.events.test_core import needs_core
from tests.places import BERLIN, SYDNEY, TRANSIT, write_database

CORES = ["python", pytest.param("native", marks=needs_core)]
EVENTS = [
    event(source="203.0.113.7", seconds=0),
    event(source="203.0.113.8", seconds=1, user="bob"),
    event(source=["198.51.100.9", "2001:db8::5"], seconds=2),
    event(source="10.0.0.7", seconds=3),
]
EXPECTED = [
    (64501, "Example Transit", "DE", "Berlin", "52.5200,13.4050"),
    (64501, "Example Transit", "DE", "Berlin", "52.5200,13.4050"),
    (None, None, "AU", "Sydney", "-33.8700,151.2100"),
    (None,) * 5,
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("places") / "city.mmdb"
    return write_database(path, {"203.0.113.0/24": BERLIN | TRANSIT, "2001:db8::/32": SYDNEY})


def assert_places_are_stored_and_searched(store: Store) -> None:
    count = (Metric("count", "count"),)
    with store.engine() as engine:
        assert engine.run(Query(select=PLACES)).rows == EXPECTED
        by_place = Query(group_by=(Terms("source.geo.location"),), metrics=count)
        assert sorted(engine.run(by_place).rows) == [
            ("-33.8700,151.2100", 1),
            ("52.5200,13.4050", 2),
        ]
        for where, expected in (
            (Present("source.geo.location"), 3),
            (Compare("source.geo.location", "=", "52.5200,13.4050"), 2),
            (Compare("source.as.number", "=", 64501), 2),
            (Compare("source.geo.country_iso_code", "=", "AU"), 1),
        ):
            assert engine.run(Query(where=where, metrics=count)).rows == [(expected,)], where


@pytest.mark.parametrize("core", CORES)
def test_an_embedded_store_has_the_places(
    core: str, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, core)
    store = EmbeddedStore(tmp_path / "store")
    options = ShipOptions(address_databases=(database,), processes=1)
    report = ship([str(write_log(tmp_path / "log", EVENTS))], store, options)
    assert (report.indexed, report.rejected) == (4, 0)
    assert_places_are_stored_and_searched(store)


def test_a_cluster_has_the_places_and_points_for_maps(
    cluster: Cluster, prefix: str, database: Path, tmp_path: Path
) -> None:
    store = ClusterStore(cluster.url, parse_target(prefix), ConnectionSettings())
    options = ShipOptions(address_databases=(database,), processes=1)
    report = ship([str(write_log(tmp_path / "log", EVENTS))], store, options)
    assert (report.indexed, report.rejected, report.failure) == (4, 0, None)
    cluster.request("POST", f"/{prefix}-*/_refresh")
    assert_places_are_stored_and_searched(store)
    near = {"distance": "50km", "source.geo.location": {"lat": 52.4, "lon": 13.2}}
    body = {"query": {"geo_distance": near}}
    answer = cluster.request("POST", f"/{prefix}-*/_count", body=body)
    assert answer.json()["count"] == 2


def test_a_document_with_a_place_is_the_event_again(database: Path) -> None:
    made = normalized(EVENTS[0], places=AddressDatabases([database]))
    assert stored_fields(msgspec.json.decode(document(made)), made.values.id) == made.row


def test_an_event_that_is_normalized_again_keeps_its_place(database: Path) -> None:
    made = normalized(EVENTS[0], places=AddressDatabases([database]))
    again = renormalize(made.row, Normalizer())
    assert not again.changed
    assert {name: again.event.row[name] for name in PLACES} == dict(
        zip(PLACES, EXPECTED[0], strict=True)
    )


@pytest.mark.parametrize("core", CORES)
def test_a_database_that_turns_out_damaged_rejects_no_event(
    core: str,
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, core)
    error = UsageError("the address database is damaged")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(AddressDatabases, "fields", fail)
    options = ShipOptions(address_databases=(database,), processes=1)
    log = str(write_log(tmp_path / "log", EVENTS))
    store = EmbeddedStore(tmp_path / "store")
    with pytest.raises(UsageError, match="damaged"):
        ship([log], store, options)
    assert not list(store.dead_letter_folder.glob("*"))
