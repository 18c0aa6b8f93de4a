"""Reader of the parts that rules and correlations have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule, SigmaRuleBase

from k8sidx.errors import DifferentLogSource, InvalidHunt, Where
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.hunt.definition import Hunt, Impossible
from k8sidx.hunt.finding_text import names_in
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.sigma.conditions import RuleCondition, field_name, rule_condition
from k8sidx.hunt.sigma.documents import location_of
from k8sidx.hunt.sigma.extension import (
    Extension,
    kind_of,
    model_of,
    read_extension,
    validate_extension,
)
from k8sidx.query.algebra import Leaf


class RuleReader:
    """Reads one rule or correlation.

    :param identifier: the hunt's id.
    :param source: :attr:`k8sidx.hunt.definition.Hunt.source` of the hunt.
    :param lists: values of placeholders.
    """

    def __init__(self, rule: SigmaRuleBase, identifier: str, source: str, lists: Lists) -> None:
        self.rule = rule
        self.lists = lists
        self.lists_missing: dict[str, None] = {}
        self.impossible: dict[Impossible, None] = {}
        self.exempt_identities: dict[Leaf, None] = {}
        location = location_of(rule)
        self.where = location.where
        self.extension_where = Where(location.file, location.extension)
        self.label = f"rule {rule.title!r}"
        self.id = identifier
        self.source = source
        correlation = isinstance(rule, SigmaCorrelationRule)
        value = read_extension(
            rule.custom_attributes.get("k8sidx"),
            correlation=correlation,
            where=self.extension_where,
        )
        self.kind = kind_of(value)
        self.extension = validate_extension(
            value,
            Extension if correlation else model_of(self.kind),
            self.fields,
            self.extension_where,
        )

    def common(self) -> dict[str, Any]:
        """Return the fields of :class:`k8sidx.hunt.definition.Hunt` but the condition."""
        rule, extension = self.rule, self.extension
        return {
            "id": self.id,
            "title": rule.title,
            "level": str(rule.level) if rule.level else "medium",
            "uuid": str(rule.id or ""),
            "description": (rule.description or "").strip(),
            "tags": tuple(str(tag) for tag in rule.tags),
            "references": tuple(str(reference) for reference in rule.references),
            "falsepositives": tuple(str(text) for text in rule.falsepositives),
            "source": self.source,
            "where": self.where,
            "steps": extension.steps,
            "level_needed": extension.level_needed,
            "platforms_blind": tuple(extension.platforms_blind.items()),
            "reason": extension.reason,
            "stream": extension.stream,
            "lists_missing": tuple(self.lists_missing),
            "impossible": tuple(self.impossible),
            "nodes_inside": extension.nodes_inside,
            "exempt_identities": tuple(self.exempt_identities),
            "trusted_impersonators": self.lists.impersonators(),
        }

    def condition(self, rule: SigmaRule) -> RuleCondition:
        """Return the condition of a rule: this one, or one that the correlation is about.

        :raises DifferentLogSource: when it is about other logs.
        """
        logsource = rule.logsource
        if logsource.product != "kubernetes" or logsource.service not in ("audit", None):
            raise DifferentLogSource(
                f"rule {rule.title!r} is about {logsource.product or 'any product'}, "
                f"service {logsource.service or 'any'}.",
                remedy="k8sidx runs rules with product: kubernetes and service: audit.",
                where=self.where,
            )
        translated = rule_condition(rule, location_of(rule), self.lists)
        self.lists_missing |= dict.fromkeys(translated.lists_missing)
        self.impossible |= dict.fromkeys(translated.impossible)
        self.exempt_identities |= dict.fromkeys(translated.identities)
        return translated

    def fields(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the stored names of fields, which must differ: a table has no column twice.

        :raises InvalidHunt: for a field that does not exist or makes no groups.
        """
        stored = tuple(field_name(str(name), self.label, self.where) for name in names)
        if len(set(stored)) != len(stored):
            raise self.error(f"a field is named twice: {', '.join(stored)}.", "")
        times = [name for name in stored if resolve(name).field.kind is Kind.TIME]
        if times:
            raise self.error(f"{times[0]} is a time and makes no groups.", "")
        return stored

    def check_reason(self, hunt: Hunt) -> None:
        """Check the names in braces of a hunt's ``reason``.

        :raises InvalidHunt: for one that is neither in the finding's key nor a fact.
        """
        known = {*hunt.key_names(), *hunt.facts}
        for name in names_in(hunt.reason):
            if name not in known:
                raise InvalidHunt(
                    f"k8sidx.reason: {name!r} is not a known name.",
                    remedy=f"There are: {', '.join(sorted(known))}.",
                    where=self.extension_where,
                )

    def error(self, message: str, remedy: str = "") -> InvalidHunt:
        """Return an error about the rule."""
        return InvalidHunt(f"{self.label}: {message}", remedy=remedy, where=self.where)
