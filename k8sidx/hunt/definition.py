"""What a hunt is, once its document has been read.

A hunt is a Sigma document (https://github.com/SigmaHQ/sigma-specification). What Sigma has
no word for stands under its one extra key ``k8sidx`` (:mod:`k8sidx.hunt.sigma.extension`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from k8sidx.errors import Where
from k8sidx.query.algebra import Condition

NOWHERE = Where("-")
LIBRARY = "library"
"""``Hunt.source`` of the hunts that come with k8sidx."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The article's eight steps of a threat hunt, a sentence or more each.

    :param environment: what is true of the environment.
    :param criterion: when the hunt has succeeded.
    :param hypothesis: what an attacker would do, and how that shows.
    :param data: which events it needs, and what they leave out.
    :param baseline: what is usual, and how to gather it.
    :param test: how the data support or reject the hypothesis.
    :param automation: how the pattern repeats by itself.
    :param next: what to look at after a finding, and what to hand to detection.
    """

    environment: str = ""
    criterion: str = ""
    hypothesis: str = ""
    data: str = ""
    baseline: str = ""
    test: str = ""
    automation: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a hunt's table.

    :param field: the field that it shows.
    :param name: its heading.
    """

    field: str
    name: str


class Impossible(NamedTuple):
    """What a rule tests that no audit.k8s.io/v1 event can have.

    :param about: the field and the value.
    :param where: the file and line of the test.
    """

    about: str
    where: Where


@dataclass(frozen=True, slots=True)
class KnownGood:
    """What a hunt finds and somebody vouches for (:mod:`k8sidx.hunt.allowlist`).

    :param hunts: ids of the hunts that it is about; ``*`` for every one.
    :param condition: the events that it means.
    :param expires: the last day on which it holds.
    :param where: the file and line that it stands at.
    """

    hunts: tuple[str, ...]
    condition: Condition
    reason: str
    expires: date
    where: Where
    expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """What all hunts have in common.

    :param id: the document's Sigma ``name``; without one, its file's name.
    :param level: Sigma level: informational, low, medium, high, critical.
    :param condition: the events it is about.
    :param tags: Sigma tags, such as ``attack.t1613``.
    :param source: ``library``, or the file it was read from.
    :param where: the file and line that its document begins at.
    :param level_needed: lowest audit level that carries what it needs.
    :param platforms_blind: platforms that cannot show it, and why.
    :param reason: the sentence of a finding (:mod:`k8sidx.hunt.finding_text`); empty for the
        usual one.
    :param lists_missing: lists that its rules name and nobody has given: it cannot judge.
    :param impossible: tests of its rules that no event can pass.
    :param known_good: what is left out of it, or was until it expired.
    :param stream: it tells what goes on, and judges nothing: runs only when it is named or
        informational hunts are asked for.
    """

    id: str
    title: str
    level: str
    condition: Condition
    uuid: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    source: str = LIBRARY
    where: Where = NOWHERE
    steps: Steps = field(default_factory=Steps)
    level_needed: str = "Metadata"
    platforms_blind: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    lists_missing: tuple[str, ...] = ()
    impossible: tuple[Impossible, ...] = ()
    known_good: tuple[KnownGood, ...] = ()
    stream: bool = False

    @property
    def kind(self) -> str:
        """match, threshold, sequence, top, new, spike or silent."""
        return type(self).__name__.removesuffix("Hunt").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchHunt(Hunt):
    """Requests that match, one finding for each value of ``finding_by``.

    :param echoes_of: fields of ``finding_by`` that tell which workload it is about: what
        controllers make of it repeats what is said of it
        (:mod:`k8sidx.hunt.kinds.controller_copies`).
    """

    finding_by: tuple[str, ...]
    echoes_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TopHunt(Hunt):
    """The most frequent values, or the rarest.

    :param rarest: the least frequent first. They are not compared with the time before:
        what is rare is new more often than not.
    :param by: what is counted.
    :param count: heading of the count, the table's last column.
    :param keep_missing: count events that lack a field, too.
    """

    rarest: bool
    by: tuple[Column, ...]
    count: str
    limit: int
    keep_missing: bool


@dataclass(frozen=True, slots=True)
class Base:
    """A rule that a correlation is about, or several that give their keys by the same fields.

    :param title: what it stands for in a sentence.
    :param condition: the events it matches.
    :param group_by: fields of the correlation's key, in its order.
    :param values: fields whose combinations the correlation counts.
    """

    title: str
    condition: Condition
    group_by: tuple[str, ...]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation(Hunt):
    """Requests of one key within a time span.

    :param bases: what it is about; their events together are those of ``condition``.
    :param group_by: names of the key: fields, or aliases of the bases' fields.
    :param at_least: how many make a finding.
    :param timespan: within which.
    """

    bases: tuple[Base, ...]
    group_by: tuple[str, ...]
    at_least: int
    timespan: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdHunt(Correlation):
    """Many requests, or many different values, of one key within a time span.

    :param values: names of the fields whose combinations are counted; empty to count
        requests.
    """

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceHunt(Correlation):
    """Requests that match several rules, of one key within a time span.

    ``at_least`` so many of the rules.

    :param ordered: one after the other, in the order of ``bases``.
    """

    ordered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHunt(Hunt):
    """Values that the time before did not have.

    :param by: the fields whose combination is new.
    :param window: how long the current time is, when none is asked for.
    :param history: how long the time before is, when none is asked for.
    """

    by: tuple[str, ...]
    window: timedelta
    history: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeHunt(Hunt):
    """More requests in an interval than the same data usually have.

    :param interval: length of an interval.
    :param at_least: fewer than so many requests are never a surge.
    :param deviations: how many median absolute deviations above the median a surge is.
    :param history: how long the time before is, when none is asked for.
    :param who: the field that tells who made the surge.
    """

    interval: timedelta
    at_least: int
    deviations: float
    history: timedelta
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentHunt(Hunt):
    """Sources that spoke regularly and no longer do.

    :param by: the fields that name a source.
    :param interval: length of an interval in which it spoke or did not.
    :param gaps: how many times its usual gap a source must be silent …
    :param at_least: … and how long in any case.
    :param history: how long the time before is, when none is asked for.
    """

    by: tuple[str, ...]
    interval: timedelta
    gaps: float
    at_least: timedelta
    history: timedelta
