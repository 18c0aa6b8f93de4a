"""A hunt straight over files, in a store of just the fields it needs, gives the same as over a
whole store."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library import load_library
from k8sidx.hunt.needs import fields_needed
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.shipping.ship import ship
from k8sidx.store.open import EmbeddedStore, temporary_store

DEMO = Path(__file__).parents[2] / "demo" / "audit.ndjson.zst"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedStore:
    store = EmbeddedStore(tmp_path_factory.mktemp("needs") / "store")
    ship([str(DEMO)], store)
    return store


@pytest.mark.parametrize("hunt", load_library(), ids=lambda hunt: str(hunt.id))
def test_a_store_of_the_needed_fields_gives_the_same(hunt: Hunt, whole: EmbeddedStore) -> None:
    window = Window(baseline=timedelta(minutes=20))
    with temporary_store(fields_needed([hunt])) as store:
        ship([str(DEMO)], store)
        with store.engine() as engine, whole.engine() as other:
            (found,) = run_hunts([hunt], engine, window)
            (expected,) = run_hunts([hunt], other, window)
    assert dataclasses.asdict(found) == dataclasses.asdict(expected)
