"""One rule or correlation on its way to a hunt: what all kinds of them have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule, SigmaRuleBase

from k8sidx.errors import InvalidHunt, OtherLog, Where
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.hunt.definition import Column, Impossible, Steps
from k8sidx.hunt.finding_text import FACTS, names_in
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.sigma import extension as blocks
from k8sidx.hunt.sigma.conditions import field_name, rule_condition
from k8sidx.hunt.sigma.documents import place_of
from k8sidx.query.algebra import Condition


class RuleReader:
    """One rule or correlation on its way to a hunt."""

    def __init__(self, rule: SigmaRuleBase, identifier: str, source: str, lists: Lists) -> None:
        self.rule = rule
        self.lists = lists
        self.lists_missing: dict[str, None] = {}
        self.impossible: dict[Impossible, None] = {}
        place = place_of(rule)
        self.where = place.where
        self.block_where = Where(place.file, place.block)
        self.said = f"rule {rule.title!r}"
        self.id = identifier
        self.source = source
        self.block = blocks.read_block(
            rule.custom_attributes.get("k8sidx"),
            correlation=isinstance(rule, SigmaCorrelationRule),
            where=self.block_where,
        )

    def common(self) -> dict[str, Any]:
        """What all kinds of hunts have."""
        rule, block = self.rule, self.block
        return {
            "id": self.id,
            "title": rule.title,
            "level": str(rule.level) if rule.level else "medium",
            "uuid": str(rule.id or ""),
            "description": (rule.description or "").strip(),
            "tags": tuple(str(tag) for tag in rule.tags),
            "references": tuple(str(one) for one in rule.references),
            "falsepositives": tuple(str(one) for one in rule.falsepositives),
            "source": self.source,
            "where": self.where,
            "steps": Steps(**{k: v.strip() for k, v in block.steps.model_dump().items()}),
            "level_needed": block.level_needed,
            "platforms_blind": tuple(block.platforms_blind.items()),
            "reason": block.reason,
            "stream": block.stream,
            "lists_missing": tuple(self.lists_missing),
            "impossible": tuple(self.impossible),
        }

    def condition(self, rule: SigmaRule) -> Condition:
        logsource = rule.logsource
        if logsource.product != "kubernetes" or logsource.service not in ("audit", None):
            raise OtherLog(
                f"rule {rule.title!r} is about {logsource.product or 'any product'}, "
                f"service {logsource.service or 'any'}.",
                remedy="k8sidx runs rules with product: kubernetes and service: audit.",
                where=self.where,
            )
        found = rule_condition(rule, place_of(rule), self.lists)
        self.lists_missing |= dict.fromkeys(found.lists_missing)
        self.impossible |= dict.fromkeys(found.impossible)
        return found.condition

    def column(self, said: str | Mapping[str, str]) -> Column:
        if isinstance(said, str):
            return Column(self.fields((said,))[0], said)
        if len(said) != 1:
            raise InvalidHunt("k8sidx.by: a column has one name.", where=self.block_where)
        name, field = next(iter(said.items()))
        return Column(self.fields((field,))[0], name)

    def fields(self, names: Iterable[str]) -> tuple[str, ...]:
        """Names of the fields, each once: a table has no column twice."""
        found = tuple(field_name(str(name), self.said, self.where) for name in names)
        if len(set(found)) != len(found):
            raise self.error(f"a field is named twice: {', '.join(found)}.", "")
        times = [name for name in found if resolve(name).field.kind is Kind.TIME]
        if times:
            raise self.error(f"{times[0]} is a time and makes no groups.", "")
        return found

    def check_reason(self, key: Iterable[str], kind: str) -> None:
        known = {*key, *FACTS[kind]}
        for name in names_in(self.block.reason):
            if name not in known:
                raise InvalidHunt(
                    f"k8sidx.reason: nothing is named {name!r} here.",
                    remedy=f"There are: {', '.join(sorted(known))}.",
                    where=self.block_where,
                )

    def error(self, message: str, remedy: str) -> InvalidHunt:
        return InvalidHunt(f"{self.said}: {message}", remedy=remedy, where=self.where)
