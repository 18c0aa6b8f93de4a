"""Records on which fuzzing once failed, and some new ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.building import event
from tests.fuzz.check import check
from tests.fuzz.mutate import mutated, wrapped

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_record_of_the_corpus_costs_no_neighbour(path: Path) -> None:
    check(path.read_bytes())


def test_a_mutated_event_costs_no_neighbour() -> None:
    random_ = random.Random(12)  # noqa: S311 - repeatable
    for _ in range(60):
        check(wrapped(mutated(event(), random_), random_))
