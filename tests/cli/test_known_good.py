"""``--known-good`` and ``--suggest-allow``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.building import event
from tests.cli.conftest import k8sidx
from tests.stores import stored


@pytest.fixture
def often(here: Path) -> Path:
    """A store with the same delete in several hours."""
    events = [event("delete", user="gc", seconds=n * 1900) for n in range(6)]
    return stored(here / "k8sidx-store", events).path


@pytest.mark.usefixtures("often")
def test_a_suggested_allow_list_suppresses_its_findings(rule: Path, here: Path) -> None:
    done = k8sidx("hunt", rule, "--suggest-allow")
    assert done.exit_code == 0, done.stderr
    assert 'hunt = "deleted"' in done.stdout
    (here / "known-good.toml").write_text(done.stdout)
    done = k8sidx("hunt", rule, "--known-good", "known-good.toml", "-o", "json")
    [found] = json.loads(done.stdout)
    assert found["findings"] == []
    assert "1 finding (6 requests) left out" in found["notes"][0]


@pytest.mark.usefixtures("often")
def test_allow_lists_are_read_from_the_configuration(rule: Path, here: Path) -> None:
    (here / "good.toml").write_text(k8sidx("hunt", rule, "--suggest-allow").stdout)
    (here / "k8sidx.toml").write_text('known_good = "good.toml"\n')
    [found] = json.loads(k8sidx("hunt", rule, "-o", "json").stdout)
    assert found["findings"] == []


def test_files_can_be_asked_without_a_store(rule: Path, log: Path) -> None:
    done = k8sidx("hunt", rule, "--input", log, "--suggest-allow", "-q")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("# Proposed by k8sidx")


@pytest.mark.usefixtures("often")
def test_a_missing_file_ends_with_2(rule: Path) -> None:
    done = k8sidx("hunt", rule, "--known-good", "nowhere.toml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "nowhere.toml: cannot be read" in done.stderr
