"""Places of source addresses: autonomous system, country, city and position, from databases in
MaxMind's MMDB format (MaxMind DB File Format Specification 2.0).

The databases of MaxMind and DB-IP are read: those of cities, countries, autonomous systems and
providers. A user gives them at shipping; without one no event has a place.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from k8sidx.errors import UsageError, Where
from k8sidx.events.normalize.json_tree import Fields

if TYPE_CHECKING:
    import maxminddb

AS_NUMBER = "source.as.number"
AS_NAME = "source.as.organization.name"
COUNTRY = "source.geo.country_iso_code"
CITY = "source.geo.city_name"
LOCATION = "source.geo.location"
PLACES = (AS_NUMBER, AS_NAME, COUNTRY, CITY, LOCATION)
"""Fields that are looked up in databases instead of derived from the event."""

OUTDATED = timedelta(days=90)
"""Age from which on a database has many addresses that others use by now."""
_LOOKED_AT = 1_000
"""Records of a database of which one has to have a place."""
_DOWNLOAD = (
    "Download it again and give the unpacked .mmdb file: GeoLite2-City, GeoLite2-ASN, "
    "dbip-city-lite or dbip-asn-lite."
)

_NOT_ROUTED = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"),
        ),
    )
)
"""Networks that are nobody's on the internet: private, shared, loopback, link-local. Those for
documentation are not among them, so that examples have places."""


class Build(NamedTuple):
    """A database that is used.

    :param kind: its type, for example ``GeoLite2-City``.
    :param made: when it was built.
    """

    path: Path
    kind: str
    made: datetime

    @property
    def is_outdated(self) -> bool:
        return datetime.now(UTC) - self.made > OUTDATED


class AddressDatabases:
    """Databases of addresses, open for reading.

    Where several have the same fact of an address, the first one's is taken.

    :raises UsageError: when one cannot be read, is not an MMDB file, or has no places.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._readers = [(path, _opened(path)) for path in paths]

    @property
    def builds(self) -> list[Build]:
        """The databases, in their order."""
        return [Build(path, *_metadata(reader)) for path, reader in self._readers]

    def fields(self, address: str) -> Fields:
        """Return the fields of an address; none for one that is not routed on the internet.

        :param address: in canonical form.
        :raises UsageError: when a database is damaged.
        """
        parsed = ipaddress.ip_address(address)
        if any(parsed in network for network in _NOT_ROUTED if network.version == parsed.version):
            return {}
        fields: Fields = {}
        for path, reader in self._readers:
            if parsed.version == 6 and reader.metadata().ip_version == 4:
                continue
            for name, value in _facts(_record(path, reader, address)):
                fields.setdefault(name, value)
        return fields


def opened(paths: Sequence[Path]) -> AddressDatabases | None:
    """Return the databases; ``None`` where no path is given.

    :raises UsageError: as :class:`AddressDatabases`.
    """
    return AddressDatabases(paths) if paths else None


def _opened(path: Path) -> maxminddb.Reader:
    try:
        import maxminddb
    except ImportError as error:
        raise UsageError(
            "address databases need the package maxminddb.",
            remedy="Run: pip install 'k8sidx[geo]'",
        ) from error
    where = Where(str(path))
    try:
        reader = maxminddb.open_database(path)
        has_places = any(
            any(_facts(record)) for _, record in islice(reader, _LOOKED_AT) if record is not None
        )
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}.", where=where) from error
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise UsageError(
            "is not a valid address database (MMDB).", remedy=_DOWNLOAD, where=where
        ) from error
    if not has_places:
        raise UsageError(
            f"has neither places nor autonomous systems (its type is {_metadata(reader)[0]!r}).",
            remedy=_DOWNLOAD,
            where=where,
        )
    return reader


def _metadata(reader: maxminddb.Reader) -> tuple[str, datetime]:
    metadata = reader.metadata()
    return str(metadata.database_type), datetime.fromtimestamp(metadata.build_epoch, UTC)


def _record(path: Path, reader: maxminddb.Reader, address: str) -> Any:
    import maxminddb

    try:
        return reader.get(address)
    except (maxminddb.InvalidDatabaseError, ValueError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the address database is damaged: it has no readable record of {address}.",
            remedy=_DOWNLOAD,
            where=Where(str(path)),
        ) from error


def _facts(record: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields that a record of a database has; whatever else is in it is not read."""
    if not isinstance(record, dict):
        return
    traits = _mapping(record, "traits")
    for holder in (record, traits):
        number, name = (holder.get(f"autonomous_system_{key}") for key in _SYSTEM)
        if type(number) is int and 0 < number < 2**32:
            yield AS_NUMBER, number
        if type(name) is str and name:
            yield AS_NAME, name
    country = _mapping(record, "country").get("iso_code")
    if type(country) is str and country:
        yield COUNTRY, country
    city = _mapping(_mapping(record, "city"), "names").get("en")
    if type(city) is str and city:
        yield CITY, city
    location = _mapping(record, "location")
    latitude, longitude = location.get("latitude"), location.get("longitude")
    if _is_within(latitude, 90) and _is_within(longitude, 180):
        yield LOCATION, f"{latitude:.4f},{longitude:.4f}"


_SYSTEM = ("number", "organization")


def _mapping(record: dict[str, Any], key: str) -> dict[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _is_within(value: object, limit: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= limit
