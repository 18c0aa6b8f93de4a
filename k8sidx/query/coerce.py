"""Conversion of values as users and Sigma write them to values of a field's kind."""

from __future__ import annotations

from datetime import UTC, datetime

from k8sidx.errors import InvalidQuery
from k8sidx.events.fields.table import Field, Kind
from k8sidx.query.algebra import Scalar


def coerce(field: Field, value: Scalar) -> str | int | float | bool | datetime | None:
    """Return the value as the field stores it; ``None`` when the field can never hold it.

    ``"403"`` equals the number 403 in a number field, ``"true"`` the truth value; a
    keyword field compares the number 403 as text.

    :raises InvalidQuery: for a time that cannot be read.
    """
    if field.kind is Kind.INTEGER:
        return _number(value)
    if field.kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(str(value).lower())
    if field.kind is Kind.TIME:
        return _moment(field, value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Scalar) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return int(value)
    except ValueError:
        return None


def _moment(field: Field, value: Scalar) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidQuery(
            f"{field.name}: {value!r} is not a valid time.",
            remedy="Write it as 2026-11-23T20:27:30Z.",
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
