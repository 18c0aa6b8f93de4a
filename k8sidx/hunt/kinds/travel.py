"""Impossible travel: requests of one caller from two places, closer in time than anybody travels.

The place of a request is that of the address that the API server saw
(:mod:`k8sidx.events.normalize.places`). Distances are great circles (haversine formula).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple, TypeAlias

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.events.normalize.places import AS_NAME, AS_NUMBER, CITY, COUNTRY, LOCATION
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import named, span, times, worded
from k8sidx.hunt.kinds.credential import ID as CREDENTIAL
from k8sidx.hunt.kinds.evidence import (
    COUNT,
    EVIDENCE_METRICS,
    as_count,
    as_texts,
    exact_result,
    sort_key,
)
from k8sidx.hunt.kinds.finding_key import caller_fields, correlation_columns, correlation_key
from k8sidx.hunt.kinds.options import Positive, SomeFieldNames, Span
from k8sidx.hunt.kinds.placed import ADDRESS, without_places
from k8sidx.hunt.kinds.time_window import (
    CLUSTER,
    EXTENT,
    WHOLE,
    Spans,
    Window,
    compared_spans,
    count_events,
    extent_of,
    reaches_back,
)
from k8sidx.hunt.result import Finding, HuntResult, Unjudged, Wording
from k8sidx.query.algebra import Always, And, DateHistogram, OneOf, Present, Query, Terms

_EARTH = 6371.0
"""Mean radius in kilometres."""
_FARTHEST = 20_040.0
"""Half of the Earth's circumference in kilometres."""
_NAMES_AT_ONCE = 500
_SPOT = (AS_NUMBER, COUNTRY)
_MOST_FOREIGN, _MOST_OTHER = 15, 5
"""Evidence that a finding has of the foreign place, and of the other one."""

Caller: TypeAlias = tuple[Value, ...]
Point: TypeAlias = tuple[float, float]
"""Latitude and longitude in degrees."""
Spot: TypeAlias = tuple[Value, Value]
"""Autonomous system and country. Within one of each, databases place addresses too roughly, and a
provider's pool of addresses moves about without its customer."""


class Stay(NamedTuple):
    """Requests of one caller from one address, in one interval."""

    address: str
    spot: Spot
    point: Point
    label: str
    requests: int
    first: datetime
    last: datetime
    audit_ids: tuple[str, ...]


class Trip(NamedTuple):
    """Two stays of one caller that are too far apart for the time between them.

    :param foreign: the stay that is less likely to be the caller's own.
    :param gap: time between them; zero where they overlap.
    """

    foreign: Stay
    other: Stay
    kilometres: float
    gap: timedelta


class CallerKey:
    """Key of callers, whomever they impersonate: another name for each place would hide the trip.

    :param names: the fields that a rule groups by.
    """

    def __init__(self, names: Sequence[str], window: Window) -> None:
        self.fields = caller_fields(names, window)
        self.columns = correlation_columns(names, window)
        self._names, self._window = names, window

    def terms(self) -> tuple[Terms, ...]:
        """Return what to group by."""
        return tuple(Terms(name, keep_missing=name == CLUSTER) for name in self.fields)

    def key(self, caller: Caller) -> dict[str, Value]:
        """Return the key of a finding."""
        return correlation_key(self._names, caller, self._window)


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelHunt(Hunt):
    """Requests of one caller from two places, closer in time than anybody travels.

    :param by: the caller: an identity, or a credential.
    :param faster_than: kilometres per hour that nobody travels.
    :param farther_than: kilometres below which two places are the same.
    :param window: length of the current time when none is requested.
    :param history: length of the time whose places are the caller's usual ones; it ends where
        the first of two places can be, so that an attacker's is not usual already.
    """

    kind = "travel"
    facts = ("times", "where", "elsewhere", "distance", "within")
    documentation = (
        "requests of one caller from two places, with more than 1,000 kilometres per hour between "
        "them. Two places of one autonomous system in one country, or less than 500 kilometres "
        "apart, are the same. A caller that used both places, by system and country, in the time "
        "before is one with a VPN, or several people: nothing is found. Addresses without a place, "
        "which private ones are, are no stations. Nothing is judged of events without a location."
    )
    untranslatable = "it compares the places of successive requests"
    finds_requests = True

    by: SomeFieldNames
    faster_than: Positive = 1_000.0
    farther_than: Positive = 500.0
    window: Span = timedelta(days=1)
    history: Span = timedelta(days=30)

    @property
    def look_back(self) -> timedelta:
        return timedelta(hours=_FARTHEST / self.faster_than)

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each caller and address that is too far away."""
        key = CallerKey(self.by, window)
        extent = extent_of(engine, window)
        spans = compared_spans(window, extent, self.window, self.history)
        if spans is None:
            return self._result(engine, key, [])
        now = replace(window, since=spans.since, until=spans.until)
        unjudged = without_places(self.condition, (LOCATION,), engine, now)
        unjudged += self._without_callers(engine, now)
        # Where a caller was before the window is the first of two places as well.
        from_ = replace(now, since=spans.since - self.look_back)
        callers = self._far_apart(engine, key, from_)
        if not callers:
            return self._result(engine, key, [], unjudged)
        usual = self._usual(engine, key, spans)
        user = [key.fields.index(name) for name in _user_of(key)]
        trips: dict[tuple[Caller, str], list[Trip]] = {}
        for caller, stays in self._stays(engine, key, from_, callers):
            known = usual.get(tuple(caller[part] for part in user), set())
            for trip in self._trips(stays, known):
                if max(trip.foreign.last, trip.other.last) >= spans.since:
                    trips.setdefault((caller, trip.foreign.address), []).append(trip)
        findings = [self._finding(key, caller, trips_) for (caller, _), trips_ in trips.items()]
        findings.sort(key=lambda finding: sort_key(tuple(finding.key.values())))
        result = self._result(engine, key, findings, unjudged)
        if reaches_back(extent, spans):
            return result
        note = (
            f"the data begin {extent.first:%F %T}Z: a VPN or another usual place of a caller may "
            "be among the findings."
        )
        return replace(result, notes=(*result.notes, note))

    def key_names(self) -> Collection[str]:
        return (*self.by, ADDRESS)

    def required_fields(self) -> Collection[str]:
        place = (ADDRESS, AS_NUMBER, AS_NAME, COUNTRY, CITY, LOCATION)
        return {*CallerKey(self.by, WHOLE).fields, *place}

    def baseline_queries(self, window: Window | None = None) -> tuple[Query, ...]:
        return (EXTENT, self._usual_query(_user_of(CallerKey(self.by, window or WHOLE))))

    def describe(self) -> str:
        return (
            f"two places at least {self.farther_than:,.0f} km apart, with more than "
            f"{self.faster_than:,.0f} km/h between the requests"
        )

    def _far_apart(self, engine: Engine, key: CallerKey, window: Window) -> set[Caller]:
        """Return the callers that were in two places that are far from each other."""
        query = Query(
            where=self.condition,
            since=window.since,
            until=window.until,
            group_by=(*key.terms(), *_place_terms()),
            metrics=(COUNT,),
        )
        width = len(key.fields)
        places: dict[Caller, set[tuple[Spot, Point]]] = {}
        for row in engine.run(query).rows:
            system, country, location = row[width : width + 3]
            if (point := _point(location)) is not None:
                places.setdefault(row[:width], set()).add(((system, country), point))
        return {caller for caller, visited in places.items() if self._has_far(list(visited))}

    def _has_far(self, visited: Sequence[tuple[Spot, Point]]) -> bool:
        return any(
            not _is_same(spot, other) and distance(point, there) >= self.farther_than
            for number, (spot, point) in enumerate(visited)
            for other, there in visited[:number]
        )

    def _stays(
        self, engine: Engine, key: CallerKey, window: Window, callers: set[Caller]
    ) -> Iterator[tuple[Caller, list[Stay]]]:
        """Yield the stays of callers, each caller's in order of time.

        An interval is so short that nobody gets from one place to another in it.
        """
        interval = timedelta(hours=self.farther_than / self.faster_than)
        names = sorted({str(caller[0]) for caller in callers})
        width = len(key.fields)
        stays: dict[Caller, list[Stay]] = {}
        for start in range(0, len(names), _NAMES_AT_ONCE):
            some = OneOf(key.fields[0], tuple(names[start : start + _NAMES_AT_ONCE]))
            more = tuple(Terms(name, keep_missing=True) for name in (AS_NAME, CITY))
            query = Query(
                where=And((self.condition, some)),
                since=window.since,
                until=window.until,
                group_by=(
                    *key.terms(),
                    *_place_terms(),
                    *more,
                    Terms(ADDRESS),
                    DateHistogram(interval, "interval"),
                ),
                metrics=(COUNT, *EVIDENCE_METRICS),
            )
            for row in engine.run(query).rows:
                if row[:width] in callers and (stay := _stay(row[width:])) is not None:
                    stays.setdefault(row[:width], []).append(stay)
        for caller, visited in stays.items():
            yield caller, sorted(visited, key=lambda stay: (stay.first, stay.address))

    def _usual_query(self, names: Sequence[str]) -> Query:
        """Return the query for the systems and countries from which users acted."""
        return Query(
            where=And((self.condition, Present(LOCATION))),
            group_by=tuple(Terms(name, keep_missing=True) for name in (*names, *_SPOT)),
            metrics=(COUNT,),
        )

    def _usual(self, engine: Engine, key: CallerKey, spans: Spans) -> dict[Caller, set[Spot]]:
        """Return the spots of each user in the time before, whatever the credential was."""
        query = self._usual_query(_user_of(key)).replace(
            since=spans.start - self.look_back, until=spans.since - self.look_back
        )
        usual: dict[Caller, set[Spot]] = {}
        for *user, system, country, _ in engine.run(query).rows:
            usual.setdefault(tuple(user), set()).add((system, country))
        return usual

    def _without_callers(self, engine: Engine, window: Window) -> tuple[Unjudged, ...]:
        """Return that nothing can be judged where events exist and none names such a caller."""
        lacking = [
            name
            for name in caller_fields(self.by, WHOLE)
            if not count_events(Present(name), engine, window)
        ]
        events = count_events(Always(), engine, window) if lacking else 0
        if not events:
            return ()
        why = f"no event has {lacking[0]}."
        if lacking[0] == CREDENTIAL:
            why = "no event has the id of its credential: API servers log it since Kubernetes 1.32."
        return (Unjudged("platform", why, events),)

    def _trips(self, stays: Sequence[Stay], usual: Collection[Spot]) -> Iterator[Trip]:
        """Yield the impossible trips between stays, which are in order of time.

        :param usual: spots of the caller: a trip between two of them is none.
        """
        requests: Counter[Spot] = Counter()
        for stay in stays:
            requests[stay.spot] += stay.requests
        latest: dict[tuple[Spot, Point], Stay] = {}
        for stay in stays:
            for (spot, point), other in latest.items():
                if _is_same(spot, stay.spot) or (spot in usual and stay.spot in usual):
                    continue
                kilometres = distance(point, stay.point)
                gap = max(stay.first - other.last, timedelta(0))
                hours = gap / timedelta(hours=1)
                if kilometres >= self.farther_than and kilometres > hours * self.faster_than:
                    likelier = (
                        (spot in usual, requests[spot]),
                        (stay.spot in usual, requests[stay.spot]),
                    )
                    foreign = other if likelier[0] < likelier[1] else stay
                    yield Trip(foreign, stay if foreign is other else other, kilometres, gap)
            place = stay.spot, stay.point
            if place not in latest or latest[place].last <= stay.last:
                latest[place] = stay

    def _finding(self, key: CallerKey, caller: Caller, trips: Sequence[Trip]) -> Finding:
        fastest = min(trips, key=lambda trip: (trip.gap, -trip.kilometres, trip.foreign.first))
        stays = list(dict.fromkeys(trip.foreign for trip in trips))
        values = key.key(caller) | {ADDRESS: fastest.foreign.address}
        requests = sum(stay.requests for stay in stays)
        facts = {
            "times": times(requests),
            "where": fastest.foreign.label,
            "elsewhere": f"{fastest.other.address} in {fastest.other.label}",
            "distance": f"{fastest.kilometres:,.0f} km",
            "within": f"within {span(fastest.gap)}" if fastest.gap else "at the same time",
        }
        default = f"{self.title}: {named(values)}, {facts['distance']} {facts['within']}"
        wording = Wording(self.reason, facts) if self.reason else None
        of_foreign = [each for stay in stays for each in stay.audit_ids][:_MOST_FOREIGN]
        parts = [
            (fastest.foreign.first, of_foreign),
            (fastest.other.first, fastest.other.audit_ids[:_MOST_OTHER]),
        ]
        audit_ids = [each for _, part in sorted(parts, key=lambda part: part[0]) for each in part]
        return Finding(
            self.id,
            self.level,
            values,
            requests,
            min(stay.first for stay in stays),
            max(stay.last for stay in stays),
            worded(wording, values) if wording else default,
            tuple(dict.fromkeys(audit_ids)),
            wording=wording,
        )

    def _result(
        self,
        engine: Engine,
        key: CallerKey,
        findings: list[Finding],
        unjudged: tuple[Unjudged, ...] = (),
    ) -> HuntResult:
        columns = (*key.columns, ADDRESS)
        rows: list[tuple[Value, ...]] = [
            (*(each.key.get(name) for name in columns), each.first_seen, each.last_seen, each.count)
            for each in findings
        ]
        columns = (*columns, "first_seen", "last_seen", "count")
        return exact_result(self, engine, columns, rows, findings, unjudged)


def distance(first: Point, second: Point) -> float:
    """Return the length of the great circle between two points in kilometres."""
    latitude, longitude, other_latitude, other_longitude = map(radians, (*first, *second))
    chord = (
        sin((other_latitude - latitude) / 2) ** 2
        + cos(latitude) * cos(other_latitude) * sin((other_longitude - longitude) / 2) ** 2
    )
    return 2 * _EARTH * asin(min(1.0, sqrt(chord)))


def _is_same(first: Spot, second: Spot) -> bool:
    """Whether two spots are one: where the system is not known, their distance decides."""
    return first == second and first[0] is not None


def _user_of(key: CallerKey) -> tuple[str, ...]:
    """Return the fields that name the user of a caller, whatever the credential is."""
    return tuple(name for name in key.fields if name in (key.fields[0], CLUSTER))


def _place_terms() -> tuple[Terms, ...]:
    return (
        *(Terms(name, keep_missing=True) for name in _SPOT),
        Terms(LOCATION),
    )


def _stay(row: Sequence[Value]) -> Stay | None:
    """Return the stay of a row behind its caller; ``None`` for one without time or point."""
    system, country, location, organization, city, address, _, count, first, last, ids = row
    point = _point(location)
    if point is None or not isinstance(first, datetime) or not isinstance(last, datetime):
        return None
    land = ", ".join(str(name) for name in (city, country) if name) or str(location)
    provider = f" (AS{system}{f' {organization}' if organization else ''})" if system else ""
    return Stay(
        str(address), (system, country), point, f"{land}{provider}", as_count(count), first, last,
        as_texts(ids),
    )  # fmt: skip


def _point(location: Value) -> Point | None:
    latitude, _, longitude = str(location or "").partition(",")
    try:
        return float(latitude), float(longitude)
    except ValueError:
        return None
