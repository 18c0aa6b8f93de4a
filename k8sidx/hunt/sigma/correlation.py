"""Reader of Sigma correlations.

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

from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import listed
from k8sidx.hunt.kinds.correlation import BaseRule, CorrelationRule
from k8sidx.hunt.kinds.registry import CORRELATIONS
from k8sidx.hunt.sigma.conditions import RuleCondition
from k8sidx.hunt.sigma.rule import RuleReader


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule that the correlation is about."""

    reference: str
    title: str
    condition: RuleCondition


def correlation_hunt(reader: RuleReader, rule: SigmaCorrelationRule) -> Hunt:
    """Return the hunt of a correlation.

    :raises InvalidHunt: for a type or a condition that k8sidx does not support.
    """
    kind = CORRELATIONS.get(str(rule.type))
    if kind is None:
        raise reader.error(
            f"correlations of the type {rule.type} are not supported.",
            f"There are {listed(list(CORRELATIONS))}.",
        )
    names, counted = _names(rule.group_by), _counted(rule)
    bases = tuple(_base(reader, rule, base, names, counted) for base in _rules(reader, rule))
    resolved = CorrelationRule(
        str(rule.type),
        rule.title,
        bases,
        bool(len(rule.aliases)),
        _key_names(bases, names),
        counted,
        _at_least(reader, rule),
        timedelta(seconds=rule.timespan.seconds),
    )
    return kind.from_rule(resolved, reader.common())


def _rules(reader: RuleReader, rule: SigmaCorrelationRule) -> list[_Rule]:
    rules = []
    for reference in rule.referenced_rules:
        base = reference.rule
        if not isinstance(base, SigmaRule):
            raise reader.error(
                f"it is about the correlation {reference.reference!r}.",
                "A correlation can be about rules only.",
            )
        rules.append(_Rule(reference.reference, base.title, reader.condition(base)))
    return rules


def _base(
    reader: RuleReader,
    correlation: SigmaCorrelationRule,
    rule: _Rule,
    names: Sequence[str],
    counted: Sequence[str],
) -> BaseRule:
    """Return the rule with the fields that the correlation's names mean in it."""

    def field_of(name: str) -> str:
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

    return BaseRule(
        rule.title,
        rule.condition.condition,
        reader.fields([field_of(name) for name in names]),
        reader.fields([field_of(name) for name in counted]),
        rule.condition.unexempted,
    )


def _names(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _key_names(bases: Sequence[BaseRule], names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the key: fields under their stored names, aliases under their own."""
    by_name = zip(names, zip(*(base.group_by for base in bases), strict=True), strict=True)
    return tuple(fields[0] if len({*fields}) == 1 else name for name, fields in by_name)


def _counted(rule: SigmaCorrelationRule) -> tuple[str, ...]:
    if rule.type is not SigmaCorrelationType.VALUE_COUNT:
        return ()
    condition = rule.condition
    return _names(condition.fieldref if isinstance(condition, SigmaCorrelationCondition) else None)


def _at_least(reader: RuleReader, rule: SigmaCorrelationRule) -> int:
    condition = rule.condition
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        return _number_of_rules(reader, rule, condition)
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


def _number_of_rules(
    reader: RuleReader, rule: SigmaCorrelationRule, condition: SigmaExtendedCorrelationCondition
) -> int:
    """Return how many rules an expression needs: ``a and b`` all of them, ``a or b`` one."""
    parsed = condition.parsed
    if isinstance(parsed, SigmaRuleReference):
        return 1
    plain = all(isinstance(argument, SigmaRuleReference) for argument in parsed.args)
    if plain and isinstance(parsed, CorrelationConditionAND):
        return len(rule.referenced_rules)
    if plain and isinstance(parsed, CorrelationConditionOR):
        return 1
    raise reader.error(
        f"the correlation's condition {condition.expression!r} is not supported.",
        "Its rules can be joined by “and”, or by “or”.",
    )
