"""Small address databases for tests, written in the format that MaxMind and DB-IP use."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from mmdb_writer import MMDBWriter
from netaddr import IPSet

from k8sidx.events.normalize.places import AddressDatabases


def place(country: str, city: str, latitude: float, longitude: float) -> dict[str, Any]:
    """Return a record as databases of cities have it."""
    return {
        "country": {"iso_code": country, "names": {"en": country}},
        "city": {"names": {"en": city}},
        "location": {"latitude": latitude, "longitude": longitude},
    }


def system(number: int, organization: str) -> dict[str, Any]:
    """Return a record as databases of autonomous systems have it."""
    return {
        "autonomous_system_number": number,
        "autonomous_system_organization": organization,
    }


BERLIN = place("DE", "Berlin", 52.52, 13.405)
MUNICH = place("DE", "Munich", 48.137, 11.575)
POTSDAM = place("DE", "Potsdam", 52.39, 13.06)
SYDNEY = place("AU", "Sydney", -33.87, 151.21)
TRANSIT, OTHER = system(64501, "Example Transit"), system(64502, "Other Networks")
THIRD = system(64503, "Third Party Mobile")

EXAMPLES = {
    "198.51.100.0/25": BERLIN | TRANSIT,
    "198.51.100.128/25": MUNICH | TRANSIT,
    "203.0.113.0/24": SYDNEY | OTHER,
    "192.0.2.0/24": POTSDAM | THIRD,
}
"""Places of the addresses that examples and generated logs have."""


@cache
def example_places() -> AddressDatabases:
    """Return an open database of :data:`EXAMPLES`."""
    with TemporaryDirectory() as folder:
        return AddressDatabases([write_database(Path(folder, "examples.mmdb"), EXAMPLES)])


def write_database(
    path: Path,
    records: Mapping[str, dict[str, Any]],
    kind: str = "GeoLite2-City",
    built: float | None = None,
) -> Path:
    """Write a database with a record for each network.

    :param built: seconds since 1970; now by default.
    """
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind, languages=["en"])
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    with mock.patch("mmdb_writer.time.time", return_value=built or time.time()):
        writer.to_db_file(str(path))
    return path
