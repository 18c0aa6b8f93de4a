"""Base of the hunts that are Sigma correlations: requests of one key within a time span."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Self

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.definition import LOOK_BACK, Hunt, widened
from k8sidx.hunt.finding_text import code_names
from k8sidx.hunt.impersonators import ACTING, EFFECTIVE
from k8sidx.hunt.kinds.evidence import as_count
from k8sidx.hunt.kinds.finding_key import caller_fields
from k8sidx.hunt.kinds.time_window import WHOLE, Window
from k8sidx.hunt.result import Unjudged
from k8sidx.query.algebra import And, Condition, Metric, Not, Or, Present, Query


@dataclass(frozen=True, slots=True)
class BaseRule:
    """A rule that a correlation is about, or several whose keys have the same fields.

    :param title: its name in a sentence.
    :param condition: the events it matches.
    :param group_by: fields of the correlation's key, in its order.
    :param values: fields whose combinations the correlation counts.
    :param unexempted: its condition without its exemptions; ``None`` without any.
    """

    title: str
    condition: Condition
    group_by: tuple[str, ...]
    values: tuple[str, ...] = ()
    unexempted: Condition | None = None


@dataclass(frozen=True, slots=True)
class CorrelationRule:
    """A Sigma correlation with its names resolved.

    :param type: Sigma's correlation type, for example ``event_count``.
    :param rules: the rules it is about, in its order.
    :param has_aliases: whether a name of the key can mean a different field in each rule.
    :param group_by: names of the key: stored fields, or aliases.
    :param values: names of the fields whose combinations are counted.
    """

    type: str
    title: str
    rules: tuple[BaseRule, ...]
    has_aliases: bool
    group_by: tuple[str, ...]
    values: tuple[str, ...]
    at_least: int
    timespan: timedelta

    @property
    def condition(self) -> Condition:
        """Events that any of the rules matches."""
        conditions = tuple(rule.condition for rule in self.rules)
        return conditions[0] if len(conditions) == 1 else Or(conditions)

    @property
    def unexempted(self) -> Condition | None:
        """The same without exemptions; ``None`` where no rule has any."""
        if all(rule.unexempted is None for rule in self.rules):
            return None
        return Or(tuple(rule.unexempted or rule.condition for rule in self.rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation(Hunt):
    """Requests of one key within a time span.

    :param bases: what it is about; their events together are those of ``condition``.
    :param group_by: names of the key: fields, or aliases of the bases' fields.
    :param at_least: how many make a finding.
    :param timespan: within which.
    """

    sigma_types: ClassVar[tuple[str, ...]]
    """Sigma's correlation types that are of this kind."""
    finds_requests = True

    bases: tuple[BaseRule, ...]
    group_by: tuple[str, ...]
    at_least: int
    timespan: timedelta

    @classmethod
    @abstractmethod
    def from_rule(cls, rule: CorrelationRule, common: dict[str, Any]) -> Self:
        """Return the hunt of a Sigma correlation.

        :param common: fields of :class:`k8sidx.hunt.definition.Hunt` but the condition.
        """

    @property
    def look_back(self) -> timedelta:
        return max(self.timespan, LOOK_BACK)

    def key_names(self) -> Collection[str]:
        return self.group_by

    def required_fields(self) -> Collection[str]:
        return {
            name
            for base in self.bases
            for name in (*caller_fields(base.group_by, WHOLE), *base.values)
        }

    def restricted_to(self, condition: Condition) -> Self:
        bases = tuple(
            replace(base, condition=And((base.condition, condition))) for base in self.bases
        )
        return replace(self, condition=And((self.condition, condition)), bases=bases)

    def judging(self, foreign: Condition) -> Self:
        bases = tuple(
            replace(base, condition=widened(base.condition, base.unexempted, foreign))
            for base in self.bases
        )
        conditions = tuple(base.condition for base in bases)
        return replace(
            self, condition=conditions[0] if len(bases) == 1 else Or(conditions), bases=bases
        )

    def for_people(self, condition: Condition) -> Self:
        """Return the hunt over requests that trusted proxies sent: its keys are the people's.

        :param condition: which requests these are.
        """
        hunt = self.restricted_to(condition)
        bases = tuple(
            replace(
                base,
                group_by=tuple(ACTING if name == EFFECTIVE else name for name in base.group_by),
            )
            for base in hunt.bases
        )
        return replace(hunt, bases=bases)

    @property
    def is_about_callers(self) -> bool:
        """Whether a part of its key is the effective user."""
        return any(EFFECTIVE in base.group_by for base in self.bases)

    def by_key(self) -> str:
        """Return “ by `a` and `b`” for a description; empty without a key."""
        return f" by {code_names(self.group_by)}" if self.group_by else ""


def events_without_time(hunt: Correlation, engine: Engine, window: Window) -> tuple[Unjudged, ...]:
    """Return how many events cannot be judged because they have no time: they lie in no window."""
    if window.since or window.until:
        return ()
    timeless = Query(
        where=And((hunt.condition, Not(Present("@timestamp")))),
        metrics=(Metric("events", "count"),),
    )
    rows = engine.run(timeless).rows
    count = as_count(rows[0][0]) if rows else 0
    if not count:
        return ()
    have = "event has" if count == 1 else "events have"
    return (Unjudged("time", f"{count:,} {have} no time.", count),)
