"""Every hunt of the library fires on what it is about, and stays silent on a near miss."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache

import pytest

import tests.hunt.library as package
from k8sidx.backends.protocol import Engine
from k8sidx.hunt.library.load import library_ids, load_hunts
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunt
from tests.building import START
from tests.hunt.library.cases import HISTORY, Pair
from tests.judge.engines import CaseEngine, embedded, tagged


@cache
def pairs() -> dict[str, Pair]:
    """The pairs of all modules of this package."""
    found: dict[str, Pair] = {}
    for module in pkgutil.iter_modules(package.__path__):
        held: dict[str, Pair] = getattr(
            importlib.import_module(f"{package.__name__}.{module.name}"), "PAIRS", {}
        )
        assert not found.keys() & held.keys(), "a hunt has one pair"
        found |= held
    return found


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    cases = {
        f"{name} {side}": [*one.before, *getattr(one, side)]
        for name, one in pairs().items()
        for side in ("fires", "silent")
    }
    with embedded(tmp_path_factory.mktemp("pairs"), tagged(cases)) as opened:
        yield opened


def test_every_hunt_has_a_pair() -> None:
    assert pairs().keys() == set(library_ids())


@pytest.mark.parametrize("name", pairs())
def test_a_hunt_fires_on_what_it_is_about(name: str, engine: Engine) -> None:
    assert seen(result(name, "fires", engine))


@pytest.mark.parametrize("name", pairs())
def test_a_hunt_is_silent_on_a_near_miss(name: str, engine: Engine) -> None:
    assert not seen(result(name, "silent", engine))


def result(name: str, side: str, engine: Engine) -> HuntResult:
    one = pairs()[name]
    hunt = load_hunts([name], Lists(one.lists))[0]
    window = Window(since=START, baseline=HISTORY) if one.before else Window()
    return run_hunt(hunt, CaseEngine(engine, f"{name} {side}"), window)


def seen(result: HuntResult) -> bool:
    """Findings; or rows, since top-N hunts list and do not judge."""
    return bool(result.findings or result.rows)
