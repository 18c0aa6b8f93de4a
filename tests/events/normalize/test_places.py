"""Places of source addresses, from databases in MaxMind's format."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from k8sidx.errors import UsageError
from k8sidx.events.normalize.places import LOCATION, PLACES, AddressDatabases
from tests.building import event, normalized, row
from tests.places import BERLIN, OTHER, SYDNEY, TRANSIT, write_database

IN_BERLIN = {
    "source.geo.country_iso_code": "DE",
    "source.geo.city_name": "Berlin",
    "source.geo.location": "52.5200,13.4050",
}
OF_TRANSIT = {"source.as.number": 64501, "source.as.organization.name": "Example Transit"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("databases")
    cities = {"203.0.113.0/24": BERLIN, "2001:db8::/32": SYDNEY, "10.0.0.0/8": SYDNEY}
    write_database(path / "city.mmdb", cities)
    write_database(path / "asn.mmdb", {"203.0.113.0/24": TRANSIT}, "DBIP-ASN-Lite")
    return path


@pytest.fixture(scope="module")
def places(folder: Path) -> AddressDatabases:
    return AddressDatabases([folder / "city.mmdb", folder / "asn.mmdb"])


def of(sources: str | list[str], places: AddressDatabases | None) -> dict[str, Any]:
    fields = row(event(source=sources), places=places)
    return {name: fields[name] for name in PLACES if name in fields}


def test_the_seen_address_has_a_place_and_the_claimed_one_has_not(
    places: AddressDatabases,
) -> None:
    assert of("203.0.113.7", places) == IN_BERLIN | OF_TRANSIT
    assert of(["203.0.113.7", "198.51.100.1"], places) == {}
    assert of(["198.51.100.1", "203.0.113.7"], places) == IN_BERLIN | OF_TRANSIT


@pytest.mark.parametrize("source", ["::ffff:203.0.113.7", " 203.0.113.7", "203.0.113.7%eth0"])
def test_an_address_in_another_form_has_the_same_place(
    source: str, places: AddressDatabases
) -> None:
    assert of(source, places) == IN_BERLIN | OF_TRANSIT


@pytest.mark.parametrize(
    "source",
    [
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.1.1"),
        *("::1", "fd00::1", "fe80::1", "not an address", ""),
    ],
)
def test_a_private_address_has_no_place_whatever_a_database_has(
    source: str, places: AddressDatabases
) -> None:
    assert of(source, places) == {}


def test_an_ipv6_address_has_a_place(places: AddressDatabases) -> None:
    assert of("2001:db8::5", places)[LOCATION] == "-33.8700,151.2100"


def test_a_log_without_a_database_has_no_places() -> None:
    assert of("203.0.113.7", None) == {}


def test_the_id_of_an_event_does_not_depend_on_its_place(places: AddressDatabases) -> None:
    body = event(source="203.0.113.7")
    assert normalized(body, places=places).values.id == normalized(body).values.id


def test_the_first_database_with_a_fact_is_taken(folder: Path, tmp_path: Path) -> None:
    other = write_database(tmp_path / "other.mmdb", {"203.0.113.0/24": SYDNEY | OTHER})
    both = AddressDatabases([folder / "city.mmdb", other])
    assert of("203.0.113.7", both) == {
        **IN_BERLIN,
        "source.as.number": 64502,
        "source.as.organization.name": "Other Networks",
    }


@pytest.mark.parametrize(
    "record",
    [
        {"country": "DE", "city": ["Berlin"], "location": {"latitude": "52", "longitude": 13.4}},
        {"location": {"latitude": 91.0, "longitude": 0.0}, "country": {"iso_code": ""}},
        {"autonomous_system_number": 0, "autonomous_system_organization": ""},
    ],
)
def test_a_value_of_another_type_or_out_of_range_is_not_stored(
    record: dict[str, Any], tmp_path: Path
) -> None:
    path = write_database(tmp_path / "odd.mmdb", {"203.0.113.0/24": record, "192.0.2.0/24": BERLIN})
    assert of("203.0.113.7", AddressDatabases([path])) == {}


def test_a_name_longer_than_its_field_is_cut(tmp_path: Path) -> None:
    record = TRANSIT | {"autonomous_system_organization": "x" * 5_000}
    path = write_database(tmp_path / "long.mmdb", {"203.0.113.0/24": record})
    assert len(of("203.0.113.7", AddressDatabases([path]))["source.as.organization.name"]) == 1_024


def test_a_database_without_places_is_refused_with_its_type(tmp_path: Path) -> None:
    path = write_database(tmp_path / "x.mmdb", {"203.0.113.0/24": {"is_vpn": True}}, "Anonymous-IP")
    with pytest.raises(UsageError, match=r"neither places nor autonomous systems.*Anonymous-IP"):
        AddressDatabases([path])


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "missing", "folder"])
def test_a_file_that_is_not_a_database_is_an_error_that_names_it(
    damage: str, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bad.mmdb"
    whole = (folder / "city.mmdb").read_bytes()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(
            {"empty": b"", "text": b"GeoLite2", "cut": whole[: len(whole) // 2]}[damage]
        )
    with pytest.raises(UsageError) as caught:
        AddressDatabases([path])
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_damaged_record_ends_the_run_and_rejects_no_event(folder: Path, tmp_path: Path) -> None:
    whole = bytearray((folder / "city.mmdb").read_bytes())
    start = whole.find(b"iso_code", whole.find(b"Sydney"))
    at = start if start > 0 else whole.find(b"Sydney")
    # The type of the value before it becomes a pointer to nowhere.
    whole[at - 1 : at + 3] = b"\x3f\xff\xff\xff"
    path = tmp_path / "damaged.mmdb"
    path.write_bytes(whole)
    with pytest.raises(UsageError, match=r"damaged.mmdb"):
        AddressDatabases([path]).fields("2001:db8::5")


def test_a_database_older_than_ninety_days_is_outdated(folder: Path, tmp_path: Path) -> None:
    path = write_database(tmp_path / "old.mmdb", {"203.0.113.0/24": BERLIN}, built=1_600_000_000)
    (old,) = AddressDatabases([path]).builds
    (new, _) = AddressDatabases([folder / "city.mmdb", folder / "asn.mmdb"]).builds
    assert (f"{old.made:%F}", old.is_outdated, new.is_outdated) == ("2020-09-13", True, False)
    assert new.kind == "GeoLite2-City"
    assert time.time() - new.made.timestamp() < 3_600
    assert os.fspath(new.path).endswith("city.mmdb")
