"""A store's address without its scheme is refused before a folder is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8sidx.cli.exit import EXIT_USAGE
from tests.cli.conftest import k8sidx


@pytest.mark.parametrize(
    "location", ["a:b", "host:9200", "admin:PASSWORD@host:9200", "admin:PASS/WORD@host:9200", "u@h"]
)
@pytest.mark.parametrize("command", ["ship", "doctor", "query"])
def test_command_refuses_an_address_without_scheme(
    log: Path, here: Path, location: str, command: str
) -> None:
    words = {"ship": [str(log)], "doctor": [], "query": ["stats count(*)"]}[command]
    before = set(here.iterdir())
    result = k8sidx(command, *words, "--store", location)
    assert result.exit_code == EXIT_USAGE
    assert "https://host:9200" in result.stderr
    assert "PASS" not in result.output
    assert set(here.iterdir()) == before


def test_ship_accepts_a_folder_whose_name_has_a_colon(log: Path, here: Path) -> None:
    assert k8sidx("ship", log, "--store", "./a:b").exit_code == 0
    assert k8sidx("query", "stats count(*)", "--store", "a:b").exit_code == 0


def test_ship_stores_a_cluster_name_that_the_locale_cannot_decode(log: Path) -> None:
    assert k8sidx("ship", log, "--cluster", "\udcff").exit_code == 0
