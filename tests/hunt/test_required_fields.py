"""A hunt straight over files, in a store of just the fields it needs, gives the same as over a
whole store."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

import pytest

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.open import temporary_store
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_hunts, load_library
from k8sidx.hunt.required_fields import required_fields
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.query.algebra import Query, fields_of
from k8sidx.shipping.pipeline import ShipOptions, ship
from tests.demo import DEMO

WINDOW = Window(baseline=timedelta(minutes=20))


HERE = ShipOptions(processes=1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    store = EmbeddedStore(tmp_path_factory.mktemp("needs") / "store")
    ship([str(DEMO)], store, HERE)
    with store.engine() as engine:
        yield engine


class Recorder:
    """An engine that remembers which fields it was asked for."""

    def __init__(self, engine: Engine) -> None:
        self.name = engine.name
        self.asked: set[str] = set()
        self._engine = engine

    def run(self, query: Query) -> Result:
        self.asked |= {path.field.name for path in fields_of(query)}
        return self._engine.run(query)


@pytest.mark.parametrize("hunt", load_library(), ids=lambda hunt: str(hunt.id))
def test_a_hunt_asks_for_no_field_but_those_it_needs(hunt: Hunt, whole: Engine) -> None:
    recorder = Recorder(whole)
    run_hunts([hunt], recorder, WINDOW)
    always = {"@timestamp", "event.id", "requestReceivedTimestamp", "stageTimestamp"}
    assert recorder.asked <= required_fields([hunt]) | always


ONE_OF_EACH_KIND = {hunt.kind: hunt.id for hunt in load_library()}


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND.values())
def test_a_store_of_the_needed_fields_gives_the_same(name: str, whole: Engine) -> None:
    hunts = load_hunts([name])
    with temporary_store(required_fields(hunts)) as store:
        ship([str(DEMO)], store, HERE)
        with store.engine() as engine:
            (found,) = run_hunts(hunts, engine, WINDOW)
    (expected,) = run_hunts(hunts, whole, WINDOW)
    assert dataclasses.asdict(found) == dataclasses.asdict(expected)
