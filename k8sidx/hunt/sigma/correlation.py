"""Sigma correlations → threshold and sequence hunts.

https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-correlation-rules-specification.md
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionOR,
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaCorrelationType,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.rule import SigmaRule

from k8sidx.hunt.definition import Base, Hunt, SequenceHunt, ThresholdHunt
from k8sidx.hunt.sigma.rule import RuleReader
from k8sidx.query.algebra import Condition, Or

_COUNTED = (SigmaCorrelationType.EVENT_COUNT, SigmaCorrelationType.VALUE_COUNT)
_TEMPORAL = (SigmaCorrelationType.TEMPORAL, SigmaCorrelationType.TEMPORAL_ORDERED)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule that the correlation is about."""

    reference: str
    title: str
    condition: Condition


def correlation_hunt(reader: RuleReader, rule: SigmaCorrelationRule) -> Hunt:
    """The hunt of a correlation.

    :raises InvalidHunt: for a type or a condition that k8sidx does not know.
    """
    if rule.type in _COUNTED:
        return _threshold(reader, rule)
    if rule.type in _TEMPORAL:
        return _sequence(reader, rule)
    raise reader.error(
        f"correlations of the type {rule.type} are not supported.",
        "There are event_count, value_count, temporal and temporal_ordered.",
    )


def _threshold(reader: RuleReader, rule: SigmaCorrelationRule) -> ThresholdHunt:
    rules = _rules(reader, rule)
    names, counted = _names(rule.group_by), _counted(rule)
    if len(rule.aliases):
        bases = tuple(_base(reader, rule, one, names, counted) for one in rules)
    else:
        bases = (Base(rule.title, _any_of(rules), reader.fields(names), reader.fields(counted)),)
    reader.check_reason(names, "threshold")
    return ThresholdHunt(
        **reader.common(),
        condition=_any_of(rules),
        bases=bases,
        group_by=_shown(bases, names),
        values=counted,
        at_least=_at_least(reader, rule),
        timespan=timedelta(seconds=rule.timespan.seconds),
    )


def _sequence(reader: RuleReader, rule: SigmaCorrelationRule) -> SequenceHunt:
    ordered = rule.type is SigmaCorrelationType.TEMPORAL_ORDERED
    rules = _rules(reader, rule)
    if len(rules) < 2:
        raise reader.error("a temporal correlation is about two rules or more.", "")
    names = _names(rule.group_by)
    bases = tuple(_base(reader, rule, one, names, ()) for one in rules)
    at_least = _at_least(reader, rule)
    if at_least > len(rules) or (ordered and at_least < len(rules)):
        raise reader.error(
            f"its condition asks for {at_least} of {len(rules)} rules.",
            "An ordered correlation needs all of its rules, another one no more than it has.",
        )
    reader.check_reason(names, "sequence")
    return SequenceHunt(
        **reader.common(),
        condition=_any_of(rules),
        bases=bases,
        group_by=_shown(bases, names),
        at_least=at_least,
        timespan=timedelta(seconds=rule.timespan.seconds),
        ordered=ordered,
    )


def _rules(reader: RuleReader, rule: SigmaCorrelationRule) -> list[_Rule]:
    found = []
    for reference in rule.referenced_rules:
        base = reference.rule
        if not isinstance(base, SigmaRule):
            raise reader.error(
                f"it is about the correlation {reference.reference!r}.",
                "A correlation can be about rules only.",
            )
        found.append(_Rule(reference.reference, base.title, reader.condition(base)))
    return found


def _any_of(rules: Sequence[_Rule]) -> Condition:
    conditions = tuple(one.condition for one in rules)
    return conditions[0] if len(conditions) == 1 else Or(conditions)


def _base(
    reader: RuleReader,
    correlation: SigmaCorrelationRule,
    rule: _Rule,
    names: Sequence[str],
    counted: Sequence[str],
) -> Base:
    """The rule with the fields that the correlation's names mean in it."""

    def meant(name: str) -> str:
        alias = correlation.aliases.aliases.get(name)
        if alias is None:
            return name
        field = alias.mapping.get(SigmaRuleReference(rule.reference))
        if field is None:
            raise reader.error(
                f"the alias {name!r} has no field of the rule {rule.reference!r}.",
                "An alias names a field of each rule of its correlation.",
            )
        return field

    return Base(
        rule.title,
        rule.condition,
        reader.fields([meant(name) for name in names]),
        reader.fields([meant(name) for name in counted]),
    )


def _names(said: str | Sequence[str] | None) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said or ())


def _shown(bases: Sequence[Base], names: Sequence[str]) -> tuple[str, ...]:
    """Names of the key: fields under their stored names, aliases under their own."""
    same = [len({base.group_by[place] for base in bases}) == 1 for place in range(len(names))]
    return tuple(
        bases[0].group_by[place] if same[place] else name for place, name in enumerate(names)
    )


def _counted(rule: SigmaCorrelationRule) -> tuple[str, ...]:
    if rule.type is not SigmaCorrelationType.VALUE_COUNT:
        return ()
    condition = rule.condition
    return _names(condition.fieldref if isinstance(condition, SigmaCorrelationCondition) else None)


def _at_least(reader: RuleReader, rule: SigmaCorrelationRule) -> int:
    condition = rule.condition
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        return _of_expression(reader, rule, condition)
    if condition.op.name not in ("GT", "GTE"):
        raise reader.error(
            f"a correlation with {condition.op.name.lower()} looks for what is missing, "
            "which is not supported.",
            "There are gt and gte.",
        )
    exclusive = condition.op.name == "GT"
    at_least = math.floor(condition.count) + 1 if exclusive else math.ceil(condition.count)
    if at_least < 1:
        raise reader.error("a correlation's threshold is at least 1.", "")
    return at_least


def _of_expression(
    reader: RuleReader, rule: SigmaCorrelationRule, condition: SigmaExtendedCorrelationCondition
) -> int:
    """``a and b`` needs all of its rules, ``a or b`` one."""
    parsed = condition.parsed
    if isinstance(parsed, SigmaRuleReference):
        return 1
    plain = all(isinstance(one, SigmaRuleReference) for one in parsed.args)
    if plain and isinstance(parsed, CorrelationConditionAND):
        return len(rule.referenced_rules)
    if plain and isinstance(parsed, CorrelationConditionOR):
        return 1
    raise reader.error(
        f"the correlation's condition {condition.expression!r} is not supported.",
        "Its rules can be joined by “and”, or by “or”.",
    )
