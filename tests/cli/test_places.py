"""``--address-database`` and the setting of that name."""

from __future__ import annotations

from pathlib import Path

from k8sidx.events.normalize.places import AddressDatabases
from tests.building import event, write_log
from tests.cli.conftest import k8sidx
from tests.places import BERLIN, SYDNEY, write_database

EVENTS = [
    event(source="203.0.113.7", seconds=0),
    event(source="203.0.113.8", seconds=1, user="bob"),
    event(source=["198.51.100.9", "2001:db8::5"], seconds=2),
]


def city_database(path: Path) -> Path:
    return write_database(path, {"203.0.113.0/24": BERLIN, "2001:db8::/32": SYDNEY})


def test_the_command_prints_the_build_and_reads_files_of_the_configuration(
    here: Path,
) -> None:
    database = city_database(here / "city.mmdb")
    log = write_log(here / "log", EVENTS)
    shipped = k8sidx("ship", log, "--address-database", database)
    assert shipped.exit_code == 0
    assert f"GeoLite2-City of {AddressDatabases([database]).builds[0].made:%F}" in shipped.stderr
    (here / "k8sidx.toml").write_text('address_databases = "city.mmdb"\n')
    query = "stats count(*) by source.geo.city_name"
    for source in ((), ("--input", log)):
        answer = k8sidx("query", query, *source, "-o", "csv")
        assert "Berlin,2" in answer.stdout and "Sydney,1" in answer.stdout, answer.stderr


def test_an_outdated_database_is_used_and_named_even_if_quiet(here: Path) -> None:
    old = write_database(here / "old.mmdb", {"203.0.113.0/24": BERLIN}, built=1_600_000_000)
    log = write_log(here / "log", EVENTS)
    shipped = k8sidx("ship", log, "--quiet", "--address-database", old)
    assert shipped.exit_code == 0
    assert "of 2020-09-13" in shipped.stderr and "outdated" in shipped.stderr


def test_a_bad_database_is_wrong_usage_before_anything_is_stored(here: Path) -> None:
    bad = here / "bad.mmdb"
    bad.write_bytes(b"not a database")
    log = write_log(here / "log", EVENTS)
    shipped = k8sidx("ship", log, "--address-database", bad)
    assert shipped.exit_code == 2
    assert "bad.mmdb" in shipped.stderr and "Download it again" in shipped.stderr
    assert not (here / "k8sidx-store").exists()
